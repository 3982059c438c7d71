//! Requirements from files and from the command line, end to end.

use super::*;
use crate::failure::Failure;

struct Folder(tempfile::TempDir);

impl Folder {
    fn with(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, content) in files {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(path, content).unwrap();
        }
        Self(folder)
    }

    fn read(&self, name: &str, is_constraint: bool) -> Result<Request, Failure> {
        self.run(|reader| reader.read(name, is_constraint))
    }

    fn add(&self, text: &str) -> Result<Request, Failure> {
        self.run(|reader| reader.add(text))
    }

    fn run(
        &self,
        act: impl FnOnce(&mut RequirementsReader<'_>) -> Result<(), Failure>,
    ) -> Result<Request, Failure> {
        let surroundings = Surroundings {
            working_directory: self.0.path(),
            variable: &|name| Some(name.into()),
        };
        let fetch = |url: &url::Url| match url.path() {
            "/d/base.txt" => Ok(b"-c limits.txt\nsix".to_vec()),
            "/d/limits.txt" => Ok(b"six<2".to_vec()),
            _ => read_url_nothing(url),
        };
        let mut reader = RequirementsReader::new(surroundings, &fetch);
        act(&mut reader)?;
        Ok(reader.into_request())
    }

    /// The message with the folder's name taken out.
    fn message(&self, result: Result<Request, Failure>) -> String {
        let failure = result.unwrap_err();
        let mut lines: Vec<String> = failure
            .remark_text()
            .map(str::to_owned)
            .into_iter()
            .collect();
        lines.extend_from_slice(failure.messages());
        lines.extend(
            failure
                .causes()
                .iter()
                .map(|cause| format!("cause: {cause}")),
        );
        lines.extend(failure.hints().iter().map(|hint| format!("hint: {hint}")));
        let folder = self.0.path().display().to_string();
        let text = lines.join("\n").replace(&folder, "[DIR]");
        if cfg!(windows) {
            let url = format!("file:///{}", folder.replace('\\', "/"));
            return text
                .replace("[DIR]\\", "[DIR]/")
                .replace(&url, "file://[DIR]");
        }
        text
    }
}

fn shown(requirements: &[RequestedRequirement]) -> Vec<String> {
    requirements
        .iter()
        .map(|given| format!("{} | {}", given.requirement, given.source))
        .collect()
}

#[test]
fn nested_files_are_relative_to_their_includer() {
    let folder = Folder::with(&[
        ("r.txt", "-r sub/a.txt\nsix==1.16.0 # why\n"),
        (
            "sub/a.txt",
            "-r b.txt\n-c ../limits.txt\n-f wheels\n-i https://i.example/simple\n",
        ),
        (
            "sub/b.txt",
            "idna ; python_version > '3.8' \\\n  --hash=sha256:HASH\n",
        ),
        ("limits.txt", "urllib3<2\n"),
        ("sub/wheels/x", ""),
    ]);
    let hash = "0".repeat(64);
    let b = folder.0.path().join("sub/b.txt");
    let text = fs_err::read_to_string(&b).unwrap().replace("HASH", &hash);
    fs_err::write(&b, text).unwrap();

    let request = folder.read("r.txt", false).unwrap();
    let file = |name: &str| {
        let path: std::path::PathBuf = folder.0.path().join(name).components().collect();
        path.display().to_string()
    };
    assert_eq!(
        shown(&request.requirements),
        [
            format!(
                "idna ; python_full_version >= '3.9' | -r {} (line 1)",
                file("sub/b.txt")
            ),
            "six==1.16.0 | -r r.txt (line 2)".to_owned(),
        ]
    );
    assert_eq!(
        request.requirements[0].hashes[0].to_string(),
        format!("sha256:{hash}")
    );
    assert!(request.has_hashes());
    assert_eq!(
        shown(&request.constraints),
        [format!("urllib3<2 | -c {} (line 1)", file("limits.txt"))]
    );
    assert_eq!(request.options.find_links, [file("sub/wheels")]);
    assert_eq!(
        request.options.index_url.as_deref(),
        Some("https://i.example/simple")
    );
}

#[test]
fn files_on_the_network_include_their_neighbours() {
    let request = Folder::with(&[])
        .read("https://h.example/d/base.txt", false)
        .unwrap();
    assert_eq!(
        shown(&request.constraints),
        ["six<2 | -c https://h.example/d/limits.txt (line 1)"]
    );
}

#[test]
fn options_keep_their_order() {
    let folder = Folder::with(&[(
        "r.txt",
        "--no-binary :all:\n--only-binary six --pre\n--extra-index-url https://${HOST}/simple\n\
         --trusted-host h --require-hashes --no-index --prefer-binary\nsix --pre\n",
    )]);
    let request = folder.read("r.txt", false).unwrap();
    let control = request.options.format_control(&FormatControl::default());
    assert!(control.allowed(&"six".parse().unwrap()).wheels);
    assert!(!control.allowed(&"idna".parse().unwrap()).wheels);
    assert_eq!(request.options.extra_index_urls, ["https://HOST/simple"]);
    assert_eq!(request.options.require_hashes, Some(true));
    assert!(request.options.pre && request.options.no_index && request.options.prefer_binary);
    assert_eq!(
        request.warnings,
        [
            "The option --pre behind a requirement (from line 5 of r.txt) is ignored: it needs a \
          line of its own"
        ]
    );
}

#[test]
fn what_is_wrong_with_a_file() {
    let folder = Folder::with(&[
        ("self.txt", "-r self.txt"),
        ("a.txt", "-r b.txt"),
        ("b.txt", "-r a.txt"),
        ("option.txt", "\n--bogus"),
        ("hash.txt", "six==1 --hash=md5:0"),
        ("bad.txt", "# first\nsix = 1"),
        ("edit.txt", "-e ./x"),
        ("extras.txt", "six[a]"),
        ("lone.txt", "-r missing.txt"),
    ]);
    let messages: Vec<String> = [
        ("self.txt", false),
        ("a.txt", false),
        ("option.txt", false),
        ("hash.txt", false),
        ("bad.txt", false),
        ("edit.txt", false),
        ("edit.txt", true),
        ("extras.txt", true),
        ("nofile.txt", true),
        ("lone.txt", false),
        ("pylock.toml", true),
        ("https://h.example/r.txt", false),
    ]
    .into_iter()
    .map(|(name, constraint)| folder.message(folder.read(name, constraint)))
    .collect();
    insta::assert_snapshot!(messages.join("\n---\n"));
}

#[test]
fn wheels_by_path_and_address() {
    let folder = Folder::with(&[("w/six-1.16.0-py2.py3-none-any.whl", "")]);
    let url = url::Url::from_file_path(folder.0.path().join("w/six-1.16.0-py2.py3-none-any.whl"));
    let url = url.unwrap();
    for text in [
        "./w/six-1.16.0-py2.py3-none-any.whl",
        "w/../w/six-1.16.0-py2.py3-none-any.whl",
        url.as_str(),
        &format!("six @ {url}"),
    ] {
        let request = folder.add(text).unwrap();
        assert_eq!(
            shown(&request.requirements),
            [format!("six @ {url} | ")],
            "{text}"
        );
        assert_eq!(request.requirements[0].raw, text);
    }
    let request = folder
        .add("./w/six-1.16.0-py2.py3-none-any.whl[a, b] ; sys_platform == 'linux'")
        .unwrap();
    assert_eq!(
        shown(&request.requirements),
        [format!("six[a,b] @ {url} ; sys_platform == 'linux' | ")]
    );
    let request = folder
        .add("https://h.example/a%2Bb/torch-2.6.0%2Bcu124-cp311-cp311-linux_x86_64.whl#sha256=0");
    let given = &request.unwrap().requirements[0];
    assert_eq!(given.requirement.name.to_string(), "torch");
}

#[test]
fn what_is_wrong_with_a_requirement() {
    let folder = Folder::with(&[("empty/x", ""), ("reqs/r.txt", "six")]);
    let deep = format!("a; {}os_name == 'nt'{}", "(".repeat(5000), ")".repeat(5000));
    let messages: Vec<String> = [
        "foo=1",
        "foo bar",
        "foo>=1,<=x",
        "foo==1.*.*",
        "foo>=1; bad",
        "foo[",
        "./nothere",
        "./nothere.whl",
        "./empty",
        "reqs/r.txt",
        "https://u:p@h.example/x-1.0.exe",
        "git+https://u:p@h.example/x.git@-x",
        "x @ hg+https://h.example/x",
        "x @ https://h.example/y-1.0-py3-none-any.whl",
        "x @ ./y-1.0-py3-none-any.whl",
        "https://h.example/y-1.0.whl",
        "ünï",
        "foo == 1é",
        &deep,
    ]
    .into_iter()
    .map(|text| folder.message(folder.add(text)))
    .collect();
    insta::assert_snapshot!(messages.join("\n---\n"));
}

#[test]
fn a_requirements_file_without_its_option() {
    let folder = Folder::with(&[]);
    insta::assert_snapshot!(folder.message(folder.add("requirements.txt")));
    assert!(folder.add("requirements").is_ok());
}

/// The fuzz target's seeds, and seeded mutations of them.
#[test]
fn no_mangled_file_makes_the_reader_panic() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    let folder = root
        .clone()
        .nth(2)
        .unwrap()
        .join("fuzz/corpus/requirements");
    let seeds = bnbpip_testing::mangle::seeds(&folder);
    let mut read = 0;
    bnbpip_testing::mangle::replay(&seeds, 4_000, &mut |bytes| {
        let surroundings = Surroundings {
            working_directory: Path::new("nowhere"),
            variable: &|name| Some(name.into()),
        };
        let fetch = |url: &url::Url| match url.path() {
            "/requirements.txt" => Ok(bytes.to_vec()),
            _ => read_url_nothing(url),
        };
        let mut reader = RequirementsReader::new(surroundings, &fetch);
        let result = reader.read("https://host.example/requirements.txt", false);
        read += usize::from(result.is_ok());
    });
    assert!(read > 100, "{read}");
}

#[test]
fn names_of_extras_are_compared_as_those_of_projects() {
    for name in ["some-extra", "Some_Extra", "some._-extra"] {
        assert_eq!(normalized(name), "some-extra");
    }
}

/// Each names the next one twice.
#[test]
fn files_that_double_are_read_once() {
    let texts: Vec<(String, String)> = (0..60)
        .map(|number| {
            let next = format!("-r f{}.txt\n", number + 1);
            (format!("f{number}.txt"), next.repeat(2))
        })
        .chain([("f60.txt".to_owned(), "six\n".to_owned())])
        .collect();
    let files: Vec<(&str, &str)> = texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.as_str()))
        .collect();
    let request = Folder::with(&files).read("f0.txt", false).unwrap();
    assert_eq!(request.requirements.len(), 1);
}

#[test]
fn what_no_file_holds_is_refused() {
    let many = "six\n".repeat(60_000);
    let large = format!("#{}\n", "x".repeat(17 << 20));
    let folder = Folder::with(&[("many.txt", &many), ("large.txt", &large)]);
    let message = folder.message(folder.read("many.txt", false));
    assert!(
        message.contains("more than 50000 requirements"),
        "{message}"
    );
    let message = folder.message(folder.read("large.txt", false));
    assert!(message.contains("more than 16777216 bytes"), "{message}");
}
