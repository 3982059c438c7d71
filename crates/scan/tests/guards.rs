//! Each form of a guard, against wheels made up on the spot.
#![expect(
    clippy::unwrap_used,
    reason = "a test that meets a surprise has to stop"
)]

use bnbpip_scan::{Facts, Finding, Missing, Scan, System, WheelFiles, scan};

const FACTS: Facts = Facts {
    system: System::Linux,
    python: (3, 11),
};

fn wheel(name: &str, version: &str, files: &[(&str, &str)]) -> WheelFiles {
    let paths = files.iter().map(|(path, _)| *path);
    let mut wheel = WheelFiles::new(name.parse().unwrap(), version.parse().unwrap(), paths);
    for (path, content) in files {
        if !path.contains(".so") {
            wheel.provide(path, content.as_bytes());
        }
    }
    wheel
}

/// A package `other` 2.0 with a submodule, some names, and what is hard to look into.
fn other() -> WheelFiles {
    let init = "from .core import *\nimport os\nVALUE = 1\ndef func(): pass\nclass Class: pass\n\
                try:\n    import fast\nexcept ImportError:\n    fast = None\n\
                if TYPE_CHECKING:\n    from x import OnlyForTypes\n";
    wheel(
        "other",
        "2.0",
        &[
            ("other/__init__.py", init),
            (
                "other/core.py",
                "a, (b, *c) = 1, (2, 3)\nwith open('x') as handle: pass\n",
            ),
            ("other/sub/__init__.py", "from ..core import a as renamed\n"),
            (
                "other/lazy.py",
                "NAMES = {'core': ['listed']}\ndef __getattr__(name): return NAMES[name]\n",
            ),
            ("other/native.cpython-311-x86_64-linux-gnu.so", ""),
            ("other/space/leaf.py", ""),
            (
                "other/virtual.py",
                "import sys\nsys.modules[__name__ + '.x'] = 1\n",
            ),
        ],
    )
}

/// What importing `pkg`, with these files, comes to.
fn scanned(files: &[(&str, &str)]) -> Scan {
    let package = wheel("pkg", "1.0", files);
    scan(&[&package, &other()], &["pkg".into()], FACTS)
}

fn missing(finding: &Finding) -> String {
    let text = match &finding.missing {
        Missing::Module(module) => module.clone(),
        Missing::Name { module, name } => format!("{module}:{name}"),
    };
    let mark = if finding.conditional { "?" } else { "" };
    format!("{text}{mark}")
}

/// The missing things of `pkg/__init__.py` with this content; `?` marks a conditional one.
fn found(init: &str) -> Vec<String> {
    let scan = scanned(&[("pkg/__init__.py", init)]);
    assert!(scan.wanted.is_empty(), "{:?}", scan.wanted);
    scan.findings.iter().map(missing).collect()
}

#[test]
fn plain_imports() {
    assert_eq!(found("import other.gone\n"), ["other.gone"]);
    assert_eq!(found("import other.gone.deeper as x\n"), ["other.gone"]);
    assert_eq!(found("from other.gone import x\n"), ["other.gone"]);
    assert_eq!(found("from other import gone\n"), ["other:gone"]);
    assert_eq!(
        found("from other import VALUE, gone, sub\n"),
        ["other:gone"]
    );
    assert_eq!(
        found("import other, other.sub, os.path, elsewhere\n"),
        [""; 0]
    );
    assert_eq!(found("from elsewhere import x\n"), [""; 0]);
}

#[test]
fn names_of_every_kind() {
    let all = "from other import VALUE, func, Class, fast, os, a, b, c, handle, __name__\n";
    assert_eq!(found(all), [""; 0]);
    assert_eq!(found("from other.sub import renamed\n"), [""; 0]);
    assert_eq!(found("from other.sub import a\n"), ["other.sub:a"]);
    assert_eq!(
        found("from other import OnlyForTypes\n"),
        ["other:OnlyForTypes"]
    );
}

#[test]
fn what_cannot_be_known_is_not_reported() {
    assert_eq!(
        found("from other.lazy import anything\n"),
        ["other.lazy:anything?"]
    );
    assert_eq!(found("from other.lazy import listed\n"), [""; 0]);
    assert_eq!(found("from other.native import anything\n"), [""; 0]);
    assert_eq!(found("import other.native.inner\n"), [""; 0]);
    assert_eq!(found("import other.virtual.x\n"), [""; 0]);
    assert_eq!(found("import other.space.leaf\n"), [""; 0]);
    assert_eq!(found("import other.space.gone\n"), ["other.space.gone"]);
}

/// What replaces itself or makes submodules of its own says nothing about those that have files.
#[test]
fn packages_that_replace_themselves_have_submodules_that_do_not() {
    let lazy = "import sys\ndef alias(name):\n    sys.modules[f'{__name__}.{name}'] = 1\n\
                sys.modules[__name__] = Lazy()\n";
    let other = wheel(
        "lazy",
        "1.0",
        &[
            ("lazy/__init__.py", lazy),
            ("lazy/utils/__init__.py", "VALUE = 1\n"),
        ],
    );
    let found = |line: &str| -> Vec<String> {
        let package = wheel("pkg", "1.0", &[("pkg/__init__.py", line)]);
        let found = scan(&[&package, &other], &["pkg".into()], FACTS);
        found.findings.iter().map(missing).collect()
    };
    assert_eq!(
        found("from lazy.utils import VALUE, gone\n"),
        ["lazy.utils:gone"]
    );
    assert_eq!(found("import lazy.utils.gone\n"), ["lazy.utils.gone"]);
    assert_eq!(found("import lazy.made\nfrom lazy import name\n"), [""; 0]);
}

#[test]
fn try_with_import_errors() {
    for exception in [
        "ImportError",
        "Exception",
        "(OSError, ImportError)",
        "ModuleNotFoundError",
    ] {
        let guarded = format!("try:\n    import other.gone\nexcept {exception}:\n    pass\n");
        assert_eq!(found(&guarded), [""; 0], "{exception}");
    }
    assert_eq!(
        found("try:\n    import other.gone\nexcept:\n    pass\n"),
        [""; 0]
    );
    let others = "try:\n    import other.gone\nexcept ValueError:\n    pass\n";
    assert_eq!(found(others), ["other.gone"]);
    let finally = "try:\n    import other.gone\nfinally:\n    pass\n";
    assert_eq!(found(finally), ["other.gone"]);
    let name = "try:\n    from other import gone\nexcept ModuleNotFoundError:\n    pass\n";
    assert_eq!(found(name), ["other:gone"]);
    let suppressed =
        "import contextlib\nwith contextlib.suppress(ImportError):\n    import other.gone\n";
    assert_eq!(found(suppressed), [""; 0]);
}

#[test]
fn handlers_run_only_after_a_failure() {
    let fallback = "try:\n    import other.{}\nexcept ImportError:\n    import other.lost\n";
    assert_eq!(found(&fallback.replace("{}", "gone")), ["other.lost"]);
    assert_eq!(found(&fallback.replace("{}", "sub")), [""; 0]);
    let unknown = "try:\n    import elsewhere\nexcept ImportError:\n    import other.lost\n";
    assert_eq!(found(unknown), ["other.lost?"]);
    let raised =
        "try:\n    import other.gone\nexcept ImportError as e:\n    raise RuntimeError from e\n";
    assert_eq!(found(raised), ["other.gone"]);
    let otherwise =
        "try:\n    import other.sub\nexcept ImportError:\n    pass\nelse:\n    import other.lost\n";
    assert_eq!(found(otherwise), ["other.lost"]);
}

#[test]
fn find_spec() {
    let guard = "import importlib.util\nif importlib.util.find_spec('{}') is not None:\n    import other.lost\n";
    assert_eq!(found(&guard.replace("{}", "other")), ["other.lost"]);
    assert_eq!(found(&guard.replace("{}", "other.gone")), [""; 0]);
    assert_eq!(found(&guard.replace("{}", "elsewhere")), ["other.lost?"]);
    let truth = "from importlib.util import find_spec\nif not find_spec('other'):\n    pass\nelse:\n    import other.lost\n";
    assert_eq!(found(truth), ["other.lost"]);
}

#[test]
fn functions_that_answer_conditions() {
    let files = |body: &str| {
        let utils = format!(
            "import functools, importlib.util\n@functools.lru_cache(None)\ndef available():\n{body}"
        );
        let init = "from .utils import available\nif available():\n    import other.lost\n";
        let package = [("pkg/__init__.py", init), ("pkg/utils.py", &utils)];
        let scan = scanned(&package);
        scan.findings.iter().map(missing).collect::<Vec<_>>()
    };
    assert_eq!(
        files("    return importlib.util.find_spec('other') is not None\n"),
        ["other.lost"]
    );
    assert_eq!(
        files(
            "    try:\n        import other.gone\n        return True\n    except ImportError:\n        return False\n"
        ),
        [""; 0]
    );
    assert_eq!(
        files(
            "    try:\n        from elsewhere import has\n        return has()\n    except Exception:\n        return False\n"
        ),
        ["other.lost?"]
    );
}

#[test]
fn functions_that_answer_with_several_values() {
    let available = "import importlib\ndef available(name, version=False, *, strict=False):\n    \
                     there = importlib.util.find_spec(name) is not None\n    found = 'N/A'\n    \
                     if strict and cached:\n        name = cached[name]\n    \
                     if there:\n        try:\n            found = importlib.metadata.version(name)\n        \
                     except importlib.metadata.PackageNotFoundError:\n            there = False\n    \
                     if version:\n        return there, found\n    return there\n";
    let used = |line: &str, then: &str| {
        found(&format!(
            "{available}{line}\nif {then}:\n    import other.lost\n"
        ))
    };
    for line in [
        "has, version = available('other', version=True)",
        "has, version = available('other', True)",
        "has = available('other')",
        "has = available(name='other', version=False)",
    ] {
        assert_eq!(used(line, "has"), ["other.lost"], "{line}");
        assert_eq!(used(line, "not has"), [""; 0], "{line}");
    }
    for line in [
        "has, version, more = available('other', version=True)",
        "has = available('other', **options)",
        "(has, *rest) = available('other', version=True)",
        "has = available('other', version=unknown)",
    ] {
        assert_eq!(used(line, "has"), ["other.lost?"], "{line}");
    }
    let compared = "pair = available('other', True)\nhas, version = pair";
    assert_eq!(used(compared, "has"), ["other.lost"]);
}

#[test]
fn types_versions_and_platforms_are_decided() {
    assert_eq!(found("if TYPE_CHECKING:\n    import other.lost\n"), [""; 0]);
    assert_eq!(
        found("import typing\nif typing.TYPE_CHECKING:\n    import other.lost\n"),
        [""; 0]
    );
    let cases = [
        ("sys.version_info >= (3, 12)", false),
        ("sys.version_info[:2] == (3, 11)", true),
        ("sys.platform == 'win32'", false),
        ("os.name != 'nt' and platform.system() == 'Linux'", true),
        (
            "version.parse(other.__version__) >= version.parse('2.0')",
            true,
        ),
        (
            "Version(importlib.metadata.version('other')) < Version('2')",
            false,
        ),
        ("not (other.__version__ == '2.0')", false),
        ("False or sys.version_info > (3,)", true),
    ];
    for (condition, holds) in cases {
        let init = format!(
            "import sys, os, platform, other, importlib.metadata\nif {condition}:\n    import other.lost\n"
        );
        let expected = if holds { vec!["other.lost"] } else { vec![] };
        assert_eq!(found(&init), expected, "{condition}");
    }
    assert_eq!(
        found("import os\nif os.environ.get('X'):\n    import other.lost\n"),
        ["other.lost?"]
    );
    assert_eq!(
        found("import os\nif os.environ.get('X'):\n    pass\nelif True:\n    import other.lost\n"),
        ["other.lost?"]
    );
}

#[test]
fn statements_inside_others() {
    assert_eq!(
        found("class A:\n    from other import gone\n"),
        ["other:gone"]
    );
    assert_eq!(found("def f():\n    import other.gone\n"), [""; 0]);
    assert_eq!(
        found("def f():\n    import other.gone\nf()\n"),
        ["other.gone"]
    );
    assert_eq!(
        found("async def f():\n    import other.gone\nf()\n"),
        [""; 0]
    );
    assert_eq!(
        found("def f():\n    import other.gone\n    yield 1\nf()\n"),
        [""; 0]
    );
    assert_eq!(
        found("@decorate\ndef f():\n    import other.gone\nf()\n"),
        [""; 0]
    );
    assert_eq!(
        found("for x in y:\n    import other.gone\n"),
        ["other.gone?"]
    );
    assert_eq!(
        found("with open('x') as f:\n    import other.gone\n"),
        ["other.gone"]
    );
    assert_eq!(
        found("import importlib\nx = importlib.import_module('other.gone')\n"),
        ["other.gone"]
    );
    assert_eq!(
        found("def f():\n    if unknown:\n        return\n    import other.gone\nf()\n"),
        ["other.gone?"]
    );
}

#[test]
fn imports_are_followed_through_the_package() {
    let files = [
        ("pkg/__init__.py", "from . import a\nfrom .b import *\n"),
        ("pkg/a.py", "from .deep.inner import thing\n"),
        ("pkg/deep/__init__.py", ""),
        (
            "pkg/deep/inner.py",
            "from ...nowhere import x\nfrom other import gone\nthing = 1\n",
        ),
        ("pkg/b.py", "import pkg.a\nfrom pkg import c as d\n"),
        ("pkg/c.py", "\nimport other.gone\n"),
        ("pkg/never.py", "import other.never\n"),
    ];
    let scan = scanned(&files);
    let [first, second] = scan.findings.as_slice() else {
        panic!("{:?}", scan.findings);
    };
    assert_eq!((missing(first).as_str(), first.line), ("other:gone", 2));
    assert_eq!(first.path, "pkg/deep/inner.py");
    assert_eq!(first.via, ["pkg", "pkg.a", "pkg.deep.inner"]);
    assert_eq!(
        (missing(second).as_str(), second.path.as_str()),
        ("other.gone", "pkg/c.py")
    );
}

#[test]
fn a_caught_failure_in_a_submodule_is_met_again_unguarded() {
    let files = [
        (
            "pkg/__init__.py",
            "try:\n    from .a import x\nexcept ImportError:\n    pass\nfrom .a import x\n",
        ),
        ("pkg/a.py", "import other.gone\nx = 1\n"),
    ];
    let texts: Vec<String> = scanned(&files).findings.iter().map(missing).collect();
    assert_eq!(texts, ["other.gone"]);
    let files = [
        files[1],
        (
            "pkg/__init__.py",
            "try:\n    from .a import x\nexcept ImportError:\n    pass\n",
        ),
    ];
    assert!(scanned(&files).findings.is_empty());
}

#[test]
fn files_that_are_not_there_yet_are_asked_for() {
    let mut package = WheelFiles::new(
        "pkg".parse().unwrap(),
        "1.0".parse().unwrap(),
        ["pkg-1.0.data/purelib/pkg/__init__.py"],
    );
    let asked = scan(&[&package, &other()], &["pkg".into()], FACTS);
    let path = "pkg-1.0.data/purelib/pkg/__init__.py".to_string();
    assert_eq!(asked.wanted, [(0, path.clone())].into());
    package.provide(&path, b"import other.gone\n");
    let complete = scan(&[&package, &other()], &["pkg".into()], FACTS);
    assert!(complete.wanted.is_empty());
    assert_eq!(complete.findings[0].path, path);
    assert_eq!(package.top_level(), ["pkg"]);
}

#[test]
fn odd_files_do_no_harm() {
    let deep = format!("x = {}{}\n", "(".repeat(100_000), ")".repeat(100_000));
    let unary = format!("x = {}1\n", "-".repeat(100_000));
    for text in [
        "def (:\n",
        "print 'python 2'\n",
        &deep,
        &unary,
        "import pkg\nimport pkg.pkg\n",
    ] {
        assert_eq!(found(text), [""; 0]);
    }
    assert_eq!(
        found("def f():\n    f()\nf()\nimport other.gone\n"),
        ["other.gone"]
    );
    assert_eq!(found("\u{feff}import other.gone\r\n"), ["other.gone"]);
}
