//! New virtual environments, judged by the interpreter that runs in them.

#![expect(clippy::unwrap_used, reason = "tests")]

mod common;

use std::path::PathBuf;

use bnbpip_platform::{
    DiscoveryInputs, ExistingDirectory, Origin, Prober, PythonRequest, VenvError, VenvOptions,
    create_venv, find_environment, find_interpreter,
};
use common::{interpreter, python};

fn probe(executable: &std::path::Path) -> bnbpip_platform::Interpreter {
    Prober::new().interpreter(executable).unwrap()
}

#[test]
fn python_sees_a_virtual_environment() {
    let folder = tempfile::tempdir().unwrap();
    let base = probe(&interpreter());
    let root = folder.path().join("with space").join(".venv");
    let options = VenvOptions {
        prompt: Some("it's mine".into()),
        ..VenvOptions::default()
    };
    let executable = create_venv(&base, &root, &options).unwrap();
    let venv = probe(&executable);
    assert!(venv.is_venv);
    assert_eq!(venv.prefix, root);
    assert_eq!(venv.base_prefix, base.base_prefix);
    // What lies beside the installation's interpreter is looked for there.
    let real = |file: &std::path::Path| fs_err::canonicalize(file.parent().unwrap()).unwrap();
    assert_eq!(real(&venv.base_executable), real(&base.base_executable));
    assert_eq!(venv.sys_executable, executable);
    assert!(!venv.system_site_packages);
    assert!(!venv.user_site_enabled);
    let site_packages = venv.schemes.prefix.purelib.clone();
    assert!(site_packages.is_dir());
    assert!(venv.sys_path.contains(&site_packages));
    let configuration = fs_err::read_to_string(root.join("pyvenv.cfg")).unwrap();
    assert!(configuration.contains("include-system-site-packages = false\n"));
    assert!(configuration.contains("prompt = it's mine\n"));

    // On top of this one stands on the same base, not on it.
    let second = folder.path().join("second");
    let nested = probe(&create_venv(&venv, &second, &VenvOptions::default()).unwrap());
    assert_eq!(nested.base_prefix, base.base_prefix);
    fs_err::remove_dir_all(&root).unwrap();
    assert_eq!(probe(&nested.sys_executable).prefix, second);
}

#[test]
fn an_interpreter_that_could_not_start_is_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let base = probe(&interpreter());
    let root = folder.path().join("env");
    let path = base.schemes.prefix_template.under(&root).scripts;
    let needed = path.join("python.exe").to_str().unwrap().len();
    let make = |limit| {
        let options = VenvOptions {
            path_limit: Some(limit),
            ..VenvOptions::default()
        };
        create_venv(&base, &root, &options)
    };
    let error = make(needed - 1).unwrap_err().to_string();
    let expected = format!(
        "has {needed} characters, and Windows is set to allow {}",
        needed - 1
    );
    assert!(error.ends_with(&expected), "{error}");
    assert!(!root.exists());
    make(needed).unwrap();
}

#[test]
fn what_is_in_the_way_is_kept_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let base = probe(&interpreter());
    let root = folder.path().join("env");
    fs_err::create_dir(&root).unwrap();
    let make = |existing| {
        create_venv(
            &base,
            &root,
            &VenvOptions {
                existing,
                ..VenvOptions::default()
            },
        )
    };
    make(ExistingDirectory::Refuse).unwrap();
    let keepsake = probe(&make(ExistingDirectory::Reuse).unwrap())
        .schemes
        .prefix
        .purelib
        .join("keepsake.py");
    fs_err::write(&keepsake, "").unwrap();
    assert!(matches!(
        make(ExistingDirectory::Refuse),
        Err(VenvError::NotEmpty { is_venv: true, .. })
    ));
    make(ExistingDirectory::Reuse).unwrap();
    assert!(keepsake.exists());
    make(ExistingDirectory::Clear).unwrap();
    assert!(!keepsake.exists());

    let other = folder.path().join("other");
    fs_err::create_dir(&other).unwrap();
    fs_err::write(other.join("thesis.txt"), "").unwrap();
    let reuse = VenvOptions {
        existing: ExistingDirectory::Reuse,
        ..VenvOptions::default()
    };
    assert!(matches!(
        create_venv(&base, &other, &reuse),
        Err(VenvError::NotEmpty { is_venv: false, .. })
    ));
    assert!(other.join("thesis.txt").exists());
    let file = other.join("thesis.txt");
    assert!(matches!(
        create_venv(&base, &file, &reuse),
        Err(VenvError::IsFile { .. })
    ));
}

#[cfg(unix)]
#[test]
fn an_environment_never_clears_its_own_base() {
    let folder = tempfile::tempdir().unwrap();
    let base = probe(&interpreter());
    let root = folder.path().join("env");
    let options = VenvOptions {
        copies: true,
        ..VenvOptions::default()
    };
    let executable = create_venv(&base, &root, &options).unwrap();
    let mut copied = probe(&executable);
    copied.base_executable = executable;
    copied.is_venv = false;
    let clear = VenvOptions {
        existing: ExistingDirectory::Clear,
        ..VenvOptions::default()
    };
    assert!(matches!(
        create_venv(&copied, &root, &clear),
        Err(VenvError::HoldsBase { .. })
    ));
    assert!(copied.sys_executable.exists());
}

#[cfg(windows)]
#[test]
fn cmd_activates_whatever_the_path_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let base = probe(&interpreter());
    let root = folder.path().join("Zoë's (1) env");
    create_venv(&base, &root, &VenvOptions::default()).unwrap();
    let batch = folder.path().join("try.bat");
    let lines = [
        "@echo off",
        "set PATH=C:\\windows\\system32",
        "cd /d \"%~dp0\"",
        "for /d %%d in (*env) do call \"%%d\\Scripts\\activate.bat\"",
        "if exist \"%VIRTUAL_ENV%\\pyvenv.cfg\" echo found",
        "for %%p in (python.exe) do if exist \"%%~$PATH:p\" echo first",
        "call deactivate.bat",
        "echo %PATH%[%VIRTUAL_ENV%]",
    ];
    fs_err::write(&batch, lines.join("\r\n") + "\r\n").unwrap();
    let output = std::process::Command::new("cmd")
        .arg("/c")
        .arg(&batch)
        .env_remove("VIRTUAL_ENV")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout).replace('\r', "");
    assert_eq!(stdout, "found\nfirst\nC:\\windows\\system32[]\n");
}

#[cfg(unix)]
#[test]
fn activation_puts_the_environment_first_and_undoes_it() {
    let folder = tempfile::tempdir().unwrap();
    let base = probe(&interpreter());
    let root = folder.path().join("it's $HOME");
    create_venv(&base, &root, &VenvOptions::default()).unwrap();
    let script = format!(
        "PS1='$ '; . '{}/bin/activate' && command -v python && printf '%s\\n' \"$VIRTUAL_ENV\" \"$PS1\" && \
         deactivate && printf '%s\\n' \"$PATH\" \"${{VIRTUAL_ENV-unset}}\"",
        root.display().to_string().replace('\'', r"'\''")
    );
    for shell in ["sh", "bash"] {
        let output = std::process::Command::new(shell)
            .args(["-eu", "-c", &script])
            .env("PATH", "/usr/bin:/bin")
            .env_remove("VIRTUAL_ENV")
            .output()
            .unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{shell}: {stderr}");
        let root = root.display();
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            format!("{root}/bin/python\n{root}\n(it's $HOME) $ \n/usr/bin:/bin\nunset\n"),
            "{shell}"
        );
    }
}

#[test]
fn environments_are_found_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let base = probe(&interpreter());
    let make = |name: &str| {
        let root = folder.path().join(name);
        create_venv(&base, &root, &VenvOptions::default()).unwrap();
        root
    };
    let [dot_venv, conda, active, asked] = [".venv", "conda", "active", "asked"].map(make);
    let mut inputs = DiscoveryInputs {
        cwd: folder.path().into(),
        ..DiscoveryInputs::default()
    };
    let found = |inputs: &DiscoveryInputs| {
        let environment = find_environment(inputs, &Prober::new()).unwrap();
        (environment.root, environment.origin)
    };
    assert_eq!(found(&inputs), (dot_venv, Origin::DotVenv));
    inputs.conda_prefix = Some(conda.clone());
    assert_eq!(found(&inputs), (conda, Origin::CondaPrefix));
    inputs.virtual_env = Some(active.clone());
    assert_eq!(found(&inputs), (active, Origin::VirtualEnv));
    inputs.python = Some(PythonRequest::parse("./asked", folder.path()).unwrap());
    assert_eq!(found(&inputs), (asked.clone(), Origin::Requested));
    inputs.python = Some(PythonRequest::Path(probe_path(&asked)));
    assert_eq!(found(&inputs), (asked, Origin::Requested));
}

fn probe_path(root: &std::path::Path) -> PathBuf {
    let os = bnbpip_platform::LayoutOs::current();
    bnbpip_platform::environment_python_candidates(root, os)
        .next()
        .unwrap()
}

#[test]
fn versions_are_looked_for_on_path() {
    let executable = interpreter();
    let version = python(
        executable.to_str().unwrap(),
        "import sys; print('%d.%d' % sys.version_info[:2])",
    );
    let mut inputs = DiscoveryInputs {
        cwd: std::env::current_dir().unwrap(),
        path: Some(executable.parent().unwrap().into()),
        ..DiscoveryInputs::default()
    };
    let request = |text: &str| Some(PythonRequest::parse(text, &inputs.cwd).unwrap());
    let (right, wrong) = (request(&version), request("3.99"));
    inputs.python = right;
    let found = find_interpreter(&inputs, &Prober::new()).unwrap();
    assert!(found.version().to_string().starts_with(&version));
    inputs.python = wrong;
    let error = find_interpreter(&inputs, &Prober::new())
        .unwrap_err()
        .to_string();
    let places = if cfg!(windows) {
        "`PATH` and in the registry"
    } else {
        "`PATH`"
    };
    let expected = format!("Failed to find Python `3.99` on {places}: there is {version}");
    assert!(error.starts_with(&expected), "{error}");
    inputs.python = None;
    inputs.path = None;
    assert!(find_interpreter(&inputs, &Prober::new()).is_err());
    // One that is registered serves where `PATH` has none, but not for a name that was asked for.
    let gone = PathBuf::from("/gone/python.exe");
    inputs.registered = vec![gone, executable];
    let found = find_interpreter(&inputs, &Prober::new()).unwrap();
    assert!(found.version().to_string().starts_with(&version));
    inputs.python = Some(PythonRequest::Name("python3".into()));
    assert!(find_interpreter(&inputs, &Prober::new()).is_err());
}
