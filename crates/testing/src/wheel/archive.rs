//! What a described wheel holds, with its faults, as an archive.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use bnbpip_packaging::{RecordEntry, record};
use sha2::Digest as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Compression, Member, WheelBuilder, WheelFault};

impl WheelBuilder {
    /// The bytes of the file.
    pub(super) fn archive(&self) -> Vec<u8> {
        let members = self.all_members();
        let mut bytes = write_zip(&members, self.compression, &self.faults);
        for fault in &self.faults {
            match fault {
                WheelFault::CorruptMember(path) => corrupt(&mut bytes, path),
                WheelFault::Truncated(length) => bytes.truncate(*length),
                _ => {}
            }
        }
        bytes
    }

    fn all_members(&self) -> Vec<Member> {
        let mut members = self.members.clone();
        let has_module = members
            .iter()
            .any(|member| !member.path.contains(".dist-info/"));
        if !has_module {
            let path = format!("{}/__init__.py", self.escaped_name());
            let content = format!("__version__ = \"{}\"\n", self.version).into_bytes();
            members.push(Member {
                path,
                content,
                mode: 0o644,
            });
        }
        let dist_info = format!("{}.dist-info", self.stem());
        let mut add = |folder: &str, name: &str, content: String| {
            let path = format!("{folder}/{name}");
            members.push(Member {
                path,
                content: content.into_bytes(),
                mode: 0o644,
            });
        };
        if !self.faults.contains(&WheelFault::NoMetadata) {
            add(&dist_info, "METADATA", self.metadata());
        }
        if !self.faults.contains(&WheelFault::NoWheelFile) {
            add(&dist_info, "WHEEL", self.wheel_file());
        }
        if !self.console_scripts.is_empty() || !self.gui_scripts.is_empty() {
            add(&dist_info, "entry_points.txt", self.entry_points());
        }
        for fault in &self.faults {
            if let WheelFault::SecondDistInfo(folder) = fault {
                add(folder, "METADATA", self.metadata());
            }
        }
        for fault in &self.faults {
            if let WheelFault::Member(name) = fault {
                let content = b"evil\n".to_vec();
                members.push(Member {
                    path: name.clone(),
                    content,
                    mode: 0o644,
                });
            }
        }
        if !self.faults.contains(&WheelFault::NoRecord) {
            let path = format!("{dist_info}/RECORD");
            let content = self.record(&members, &path).into_bytes();
            members.push(Member {
                path,
                content,
                mode: 0o644,
            });
        }
        members
    }

    fn wheel_file(&self) -> String {
        let version = self.faults.iter().find_map(|fault| match fault {
            WheelFault::WheelVersion(version) => Some(version.as_str()),
            _ => None,
        });
        let mut text = format!(
            "Wheel-Version: {}\nGenerator: bnbpip-testing\nRoot-Is-Purelib: {}\n",
            version.unwrap_or("1.0"),
            self.is_purelib
        );
        if let Some(build) = &self.build_tag {
            text.extend(["Build: ", build, "\n"]);
        }
        let parts: Vec<Vec<&str>> = self
            .tag
            .split('-')
            .map(|part| part.split('.').collect())
            .collect();
        if let [pythons, abis, platforms] = &parts[..] {
            for python in pythons {
                for abi in abis {
                    for platform in platforms {
                        writeln!(text, "Tag: {python}-{abi}-{platform}").unwrap();
                    }
                }
            }
        }
        text
    }

    fn entry_points(&self) -> String {
        let mut text = String::new();
        for (group, scripts) in [
            ("console_scripts", &self.console_scripts),
            ("gui_scripts", &self.gui_scripts),
        ] {
            if scripts.is_empty() {
                continue;
            }
            writeln!(text, "[{group}]").unwrap();
            for (name, target) in scripts {
                writeln!(text, "{name} = {target}").unwrap();
            }
            text.push('\n');
        }
        text
    }

    fn record(&self, members: &[Member], own_path: &str) -> String {
        if self.faults.contains(&WheelFault::EmptyRecord) {
            return String::new();
        }
        let mut entries: Vec<RecordEntry> = members
            .iter()
            .filter(|member| {
                !self
                    .faults
                    .contains(&WheelFault::NotInRecord(member.path.clone()))
            })
            .map(|member| self.record_entry(member))
            .collect();
        for fault in &self.faults {
            if let WheelFault::OnlyInRecord(path) = fault {
                let size = Some(1);
                let hash = Some(record::sha256_field(&sha2::Sha256::digest(b"x")));
                entries.push(RecordEntry {
                    path: path.clone(),
                    hash,
                    size,
                });
            }
        }
        entries.push(RecordEntry {
            path: own_path.to_string(),
            hash: None,
            size: None,
        });
        record::write(&entries)
    }

    fn record_entry(&self, member: &Member) -> RecordEntry {
        let is_wrong =
            |fault: fn(String) -> WheelFault| self.faults.contains(&fault(member.path.clone()));
        let digest = if is_wrong(WheelFault::WrongRecordHash) {
            sha2::Sha256::digest(b"something else")
        } else {
            sha2::Sha256::digest(&member.content)
        };
        let size = member.content.len() as u64;
        let size = if is_wrong(WheelFault::WrongRecordSize) {
            size + 1
        } else {
            size
        };
        RecordEntry {
            path: member.path.clone(),
            hash: Some(record::sha256_field(&digest)),
            size: Some(size),
        }
    }
}

fn write_zip(members: &[Member], compression: Compression, faults: &[WheelFault]) -> Vec<u8> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    let method = match compression {
        Compression::Stored => CompressionMethod::Stored,
        Compression::Deflated => CompressionMethod::Deflated,
    };
    // The format's first day: bytes must not depend on the clock.
    let options = SimpleFileOptions::default()
        .compression_method(method)
        .last_modified_time(zip::DateTime::default());
    for member in members {
        let options = options.unix_permissions(member.mode);
        archive.start_file(member.path.as_str(), options).unwrap();
        archive.write_all(&member.content).unwrap();
    }
    for fault in faults {
        if let WheelFault::Symlink(name, target) = fault {
            archive
                .add_symlink(name.as_str(), target.as_str(), options)
                .unwrap();
        }
    }
    archive.finish().unwrap().into_inner()
}

/// Changes the first byte of a member's data: it follows the name in its local header.
fn corrupt(bytes: &mut [u8], path: &str) {
    const SIGNATURE: &[u8] = b"PK\x03\x04";
    const FIXED_BYTES: usize = 30;
    let name = path.as_bytes();
    let header = (0..bytes.len().saturating_sub(FIXED_BYTES + name.len()))
        .find(|at| {
            bytes[*at..].starts_with(SIGNATURE) && bytes[at + FIXED_BYTES..].starts_with(name)
        })
        .unwrap_or_else(|| panic!("no member {path}"));
    let extra = u16::from_le_bytes([bytes[header + 28], bytes[header + 29]]);
    let data = header + FIXED_BYTES + name.len() + usize::from(extra);
    bytes[data] ^= 0x55;
}
