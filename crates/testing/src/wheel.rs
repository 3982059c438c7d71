//! Wheels made up for a test: right ones, the same bytes every time, and ones that are wrong in a
//! chosen way.

use std::fmt::Write as _;
use std::io::{Cursor, Write as _};

use bnbpip_packaging::{RecordEntry, record};
use sha2::Digest as _;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Describes a wheel, then [`build`](WheelBuilder::build)s it.
///
/// ```
/// let wheel = bnbpip_testing::WheelBuilder::new("demo", "1.0")
///     .requires("numpy>=2")
///     .console_script("demo", "demo:main")
///     .build();
/// assert_eq!(wheel.filename, "demo-1.0-py3-none-any.whl");
/// ```
#[derive(Debug, Clone)]
pub struct WheelBuilder {
    name: String,
    version: String,
    tag: String,
    build_tag: Option<String>,
    is_purelib: bool,
    headers: Vec<(String, String)>,
    description: String,
    members: Vec<Member>,
    console_scripts: Vec<(String, String)>,
    gui_scripts: Vec<(String, String)>,
    compression: Compression,
    faults: Vec<WheelFault>,
}

/// How members are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    Stored,
    /// Deflated.
    Deflated,
}

/// A way in which a wheel can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WheelFault {
    /// `RECORD` has another hash for this member.
    WrongRecordHash(String),
    /// `RECORD` has another size for this member.
    WrongRecordSize(String),
    /// `RECORD` doesn't list this member.
    NotInRecord(String),
    /// `RECORD` lists this file, which isn't there.
    OnlyInRecord(String),
    /// There is no `RECORD`.
    NoRecord,
    /// There is no `METADATA`.
    NoMetadata,
    /// There is no `WHEEL`.
    NoWheelFile,
    /// `WHEEL` has this `Wheel-Version`.
    WheelVersion(String),
    /// `METADATA` has this name.
    MetadataName(String),
    /// `METADATA` has this version.
    MetadataVersion(String),
    /// A second `.dist-info` folder of this name.
    SecondDistInfo(String),
    /// A member of this name, whatever the name: `../evil.py`, `/etc/evil`, `C:\evil`.
    Member(String),
    /// A symbolic link with this name and destination.
    Symlink(String, String),
    /// The file ends after so many bytes.
    Truncated(usize),
    /// One byte of this member's stored data is another; the archive's checksum tells.
    CorruptMember(String),
}

#[derive(Debug, Clone)]
struct Member {
    path: String,
    content: Vec<u8>,
    mode: u32,
}

/// A finished wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuiltWheel {
    /// The project's name as it was given.
    pub name: String,
    /// The version as it was given.
    pub version: String,
    /// The file's name.
    pub filename: String,
    /// The file.
    pub bytes: Vec<u8>,
    /// Its `METADATA`, even if the file lacks it.
    pub metadata: Vec<u8>,
    /// The value of `Requires-Python`.
    pub requires_python: Option<String>,
}

impl BuiltWheel {
    /// The SHA-256 of the file, in hexadecimal.
    pub fn sha256(&self) -> String {
        crate::sha256_hex(&self.bytes)
    }

    /// Writes the file into a folder and returns its path.
    pub fn write_to(&self, folder: &std::path::Path) -> std::path::PathBuf {
        let path = folder.join(&self.filename);
        fs_err::write(&path, &self.bytes).unwrap();
        path
    }
}

impl WheelBuilder {
    /// A pure wheel with one module that knows its version.
    pub fn new(name: &str, version: &str) -> Self {
        Self {
            name: name.to_string(),
            version: version.to_string(),
            tag: "py3-none-any".to_string(),
            build_tag: None,
            is_purelib: true,
            headers: Vec::new(),
            description: String::new(),
            members: Vec::new(),
            console_scripts: Vec::new(),
            gui_scripts: Vec::new(),
            compression: Compression::Deflated,
            faults: Vec::new(),
        }
    }

    /// Adds a `Requires-Dist`.
    #[must_use]
    pub fn requires(self, requirement: &str) -> Self {
        self.header("Requires-Dist", requirement)
    }

    /// Adds several.
    #[must_use]
    pub fn requires_all<T: AsRef<str>>(self, requirements: &[T]) -> Self {
        requirements.iter().fold(self, |wheel, requirement| {
            wheel.requires(requirement.as_ref())
        })
    }

    /// Sets `Requires-Python`.
    #[must_use]
    pub fn requires_python(self, specifiers: &str) -> Self {
        self.header("Requires-Python", specifiers)
    }

    /// Adds a `Provides-Extra`.
    #[must_use]
    pub fn extra(self, name: &str) -> Self {
        self.header("Provides-Extra", name)
    }

    /// Adds any header to `METADATA`.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_string(), value.to_string()));
        self
    }

    /// Sets the text after the headers of `METADATA`.
    #[must_use]
    pub fn description(mut self, text: &str) -> Self {
        self.description = text.to_string();
        self
    }

    /// Sets the tag, `cp311-cp311-win_amd64`; each part may hold several with dots between. A
    /// platform other than `any` makes it a platform wheel.
    #[must_use]
    pub fn tag(mut self, tag: &str) -> Self {
        self.is_purelib = tag.ends_with("-any");
        self.tag = tag.to_string();
        self
    }

    /// Sets the build tag, which starts with a digit.
    #[must_use]
    pub fn build_tag(mut self, tag: &str) -> Self {
        self.build_tag = Some(tag.to_string());
        self
    }

    /// Sets `Root-Is-Purelib` against what the tag says.
    #[must_use]
    pub fn purelib(mut self, is_purelib: bool) -> Self {
        self.is_purelib = is_purelib;
        self
    }

    /// Adds a file.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.member(path, content.as_ref(), 0o644)
    }

    /// Adds a file with the executable bits set.
    #[must_use]
    pub fn executable(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.member(path, content.as_ref(), 0o755)
    }

    /// Adds a file to a part of the `.data` folder: `scripts`, `data`, `headers`, `purelib`,
    /// `platlib`.
    #[must_use]
    pub fn data(self, scheme: &str, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = format!("{}.data/{scheme}/{path}", self.stem());
        let mode = if scheme == "scripts" { 0o755 } else { 0o644 };
        self.member(&path, content.as_ref(), mode)
    }

    /// Adds a file to the `.dist-info` folder.
    #[must_use]
    pub fn dist_info(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = format!("{}.dist-info/{path}", self.stem());
        self.member(&path, content.as_ref(), 0o644)
    }

    /// Adds a console script: a name and `module:attribute`.
    #[must_use]
    pub fn console_script(mut self, name: &str, target: &str) -> Self {
        self.console_scripts
            .push((name.to_string(), target.to_string()));
        self
    }

    /// Adds a windowed script.
    #[must_use]
    pub fn gui_script(mut self, name: &str, target: &str) -> Self {
        self.gui_scripts
            .push((name.to_string(), target.to_string()));
        self
    }

    /// How members are stored; deflated unless told.
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Makes the wheel wrong. Several faults add up.
    #[must_use]
    pub fn fault(mut self, fault: WheelFault) -> Self {
        self.faults.push(fault);
        self
    }

    fn member(mut self, path: &str, content: &[u8], mode: u32) -> Self {
        self.members.push(Member {
            path: path.to_string(),
            content: content.to_vec(),
            mode,
        });
        self
    }

    /// The name part of file names: `Foo.Bar-baz` is `foo_bar_baz`.
    fn escaped_name(&self) -> String {
        self.name.to_ascii_lowercase().replace(['-', '.'], "_")
    }

    fn stem(&self) -> String {
        format!("{}-{}", self.escaped_name(), self.version)
    }

    /// The wheel's file name.
    pub fn filename(&self) -> String {
        let build = self
            .build_tag
            .as_ref()
            .map_or(String::new(), |tag| format!("-{tag}"));
        format!("{}{build}-{}.whl", self.stem(), self.tag)
    }

    /// The text of `METADATA`.
    pub fn metadata(&self) -> String {
        let mut name = self.name.as_str();
        let mut version = self.version.as_str();
        for fault in &self.faults {
            match fault {
                WheelFault::MetadataName(other) => name = other,
                WheelFault::MetadataVersion(other) => version = other,
                _ => {}
            }
        }
        let mut text = format!("Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n");
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\n"]);
        }
        text + "\n" + &self.description
    }

    /// Makes the wheel.
    pub fn build(&self) -> BuiltWheel {
        let members = self.all_members();
        let mut bytes = write_zip(&members, self.compression, &self.faults);
        for fault in &self.faults {
            match fault {
                WheelFault::CorruptMember(path) => corrupt(&mut bytes, path),
                WheelFault::Truncated(length) => bytes.truncate(*length),
                _ => {}
            }
        }
        let requires_python = self
            .headers
            .iter()
            .rfind(|(name, _)| name == "Requires-Python");
        BuiltWheel {
            name: self.name.clone(),
            version: self.version.clone(),
            filename: self.filename(),
            bytes,
            metadata: self.metadata().into_bytes(),
            requires_python: requires_python.map(|(_, value)| value.clone()),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use bnbpip_packaging::{CoreMetadata, EntryPoints, WheelMetadata};
    use std::io::Read as _;

    fn read(wheel: &BuiltWheel, path: &str) -> Result<String, String> {
        let mut archive =
            zip::ZipArchive::new(Cursor::new(&wheel.bytes)).map_err(|e| e.to_string())?;
        let mut member = archive.by_name(path).map_err(|e| e.to_string())?;
        let mut text = String::new();
        member
            .read_to_string(&mut text)
            .map_err(|e| e.to_string())?;
        Ok(text)
    }

    #[test]
    fn wheels_are_what_the_vocabulary_reads() {
        let wheel = WheelBuilder::new("Foo.Bar", "1.0")
            .requires("numpy>=2; extra == 'fast'")
            .requires_python(">=3.9")
            .extra("fast")
            .tag("cp311.cp312-none-win_amd64")
            .build_tag("3x")
            .console_script("foo", "foo_bar:main")
            .build();
        assert_eq!(
            wheel.filename,
            "foo_bar-1.0-3x-cp311.cp312-none-win_amd64.whl"
        );
        let metadata = CoreMetadata::parse(&wheel.metadata).unwrap();
        assert_eq!(metadata.requires_dist.len(), 1);
        let text = read(&wheel, "foo_bar-1.0.dist-info/WHEEL").unwrap();
        let file = WheelMetadata::parse(&text).unwrap();
        assert_eq!(file.tags, ["cp311-none-win_amd64", "cp312-none-win_amd64"]);
        assert!(!file.root_is_purelib);
        let text = read(&wheel, "foo_bar-1.0.dist-info/entry_points.txt").unwrap();
        assert_eq!(EntryPoints::parse(&text).unwrap().console[0].name, "foo");
        let rows = record::parse(&read(&wheel, "foo_bar-1.0.dist-info/RECORD").unwrap()).unwrap();
        assert_eq!(rows.len(), 5);
    }

    #[test]
    fn bytes_are_the_same_every_time() {
        let builder = WheelBuilder::new("demo", "1");
        assert_eq!(builder.build().sha256(), builder.build().sha256());
        let stored = builder.clone().compression(Compression::Stored).build();
        assert_ne!(stored.sha256(), builder.build().sha256());
    }

    #[test]
    fn faults_show() {
        let builder = WheelBuilder::new("demo", "1").file("demo.py", "x = 1\n".repeat(50));
        let record = |fault: WheelFault| {
            let wheel = builder.clone().fault(fault).build();
            record::parse(&read(&wheel, "demo-1.dist-info/RECORD").unwrap()).unwrap()
        };
        let right = record(WheelFault::Truncated(usize::MAX));
        let row = |rows: &[RecordEntry]| rows.iter().find(|row| row.path == "demo.py").cloned();
        let wrong = record(WheelFault::WrongRecordHash("demo.py".into()));
        assert_ne!(row(&right).unwrap().hash, row(&wrong).unwrap().hash);
        assert_eq!(
            row(&record(WheelFault::NotInRecord("demo.py".into()))),
            None
        );

        let corrupt = builder
            .clone()
            .fault(WheelFault::CorruptMember("demo.py".into()))
            .build();
        assert!(read(&corrupt, "demo.py").is_err());
        assert!(read(&corrupt, "demo-1.dist-info/METADATA").is_ok());
        let short = builder.clone().fault(WheelFault::Truncated(40)).build();
        assert_eq!(short.bytes.len(), 40);
        let evil = builder
            .clone()
            .fault(WheelFault::Member("../evil.py".into()))
            .build();
        assert!(read(&evil, "../evil.py").is_ok());
        let link = WheelFault::Symlink("demo/link".into(), "/etc/passwd".into());
        assert!(read(&builder.clone().fault(link).build(), "demo/link").is_ok());
    }
}
