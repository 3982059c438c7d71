//! Wheels made up for a test: right ones, the same bytes every time, and ones that are wrong in a
//! chosen way.

mod archive;

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
    /// `RECORD` has no rows, not even its own.
    EmptyRecord,
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
        let requires_python = self
            .headers
            .iter()
            .rfind(|(name, _)| name == "Requires-Python");
        BuiltWheel {
            name: self.name.clone(),
            version: self.version.clone(),
            filename: self.filename(),
            bytes: self.archive(),
            metadata: self.metadata().into_bytes(),
            requires_python: requires_python.map(|(_, value)| value.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read as _};

    use bnbpip_packaging::{CoreMetadata, EntryPoints, RecordEntry, WheelMetadata, record};

    use super::*;

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
