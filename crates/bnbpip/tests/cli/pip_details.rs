//! Small things that scripts for pip rely on, of the commands that look and remove.

use crate::fabricated::{Fabricated, World};

#[test]
fn what_is_no_name_is_not_uninstalled() {
    let world = World::new();
    for text in ["Thing.tar.gz", "https://example.org/archives/", "./folder"] {
        let shown = world.run(&format!("uninstall -y {text}"));
        let said = format!(
            "WARNING: Invalid requirement: '{text}' ignored - the uninstall command expects named \
             requirements.\nERROR: You must give at least one requirement to uninstall"
        );
        assert!(shown.contains(&said), "{shown}");
    }
}

#[test]
fn an_egg_goes_with_its_folder_its_line_and_its_scripts() {
    let world = World::new();
    let library = world.library();
    let egg = library.join("old-1.0-py3.11.egg");
    let info = egg.join("EGG-INFO");
    fs_err::create_dir_all(info.join("scripts")).unwrap();
    fs_err::write(info.join("PKG-INFO"), "Name: old\nVersion: 1.0\n").unwrap();
    fs_err::write(egg.join("old.py"), "").unwrap();
    fs_err::write(info.join("scripts/run-old"), "").unwrap();
    let scripts = world.path().join(if cfg!(windows) {
        "env/Scripts"
    } else {
        "env/bin"
    });
    fs_err::write(scripts.join("run-old"), "").unwrap();
    let lines = "./other.egg\n./old-1.0-py3.11.egg\n";
    fs_err::write(library.join("easy-install.pth"), lines).unwrap();
    let shown = world.run("uninstall -y old");
    assert!(
        shown.contains("Successfully uninstalled old-1.0"),
        "{shown}"
    );
    assert!(!egg.exists());
    assert!(!scripts.join("run-old").exists());
    let left = fs_err::read_to_string(library.join("easy-install.pth")).unwrap();
    assert_eq!(left, "./other.egg\n");
}

#[test]
fn a_list_of_paths_that_is_gone_is_told() {
    let world = World::new();
    let (library, project) = (world.library(), world.path().join("project"));
    let info = project.join("old.egg-info");
    fs_err::create_dir_all(&info).unwrap();
    fs_err::write(info.join("PKG-INFO"), "Name: old\nVersion: 1.0\n").unwrap();
    let link = library.join("old.egg-link");
    fs_err::write(&link, format!("{}\n.", project.display())).unwrap();
    let shown = world.run("uninstall -y old");
    let said = "WARNING: Cannot remove entries from nonexistent file ";
    assert!(shown.contains(said), "{shown}");
    assert!(
        shown.contains("Successfully uninstalled old-1.0"),
        "{shown}"
    );
    assert!(!link.exists() && project.exists());
}

#[test]
fn what_an_egg_info_requires_stands_beside_its_metadata() {
    let world = World::new();
    let info = world.library().join("old-1.0-py3.11.egg-info");
    fs_err::create_dir_all(&info).unwrap();
    fs_err::write(info.join("PKG-INFO"), "Name: old\nVersion: 1.0\n").unwrap();
    let requires = "gone>=2\n\n[fast]\nquick\n\n[:sys_platform == \"plan9\"]\nelsewhere\n";
    fs_err::write(info.join("requires.txt"), requires).unwrap();
    let shown = world.run("show old");
    assert!(shown.contains("Requires: gone\n"), "{shown}");
    let shown = world.run("check");
    let said = "old 1.0 requires gone, which is not installed.";
    assert!(shown.contains(said), "{shown}");
    let shown = world.run("inspect");
    for said in [
        "\"gone>=2\"",
        "\"quick ; extra == 'fast'\"",
        "\"provides_extra\": [",
    ] {
        assert!(shown.contains(said), "{said}: {shown}");
    }
}

#[test]
fn uninstalling_tells_what_goes_where_more_is_wanted() {
    let world = World::new();
    world.install(&Fabricated {
        name: "two",
        version: "1.0",
        ..Fabricated::default()
    });
    let shown = world.run("uninstall -y -v two");
    let mut told = shown.lines();
    assert!(
        told.any(
            |line| line.starts_with("  Removing file or directory ") && line.ends_with("two.py")
        ),
        "{shown}"
    );
}

#[test]
fn addresses_in_a_file_for_freeze_are_named_by_their_egg() {
    let world = World::new();
    world.install(&Fabricated {
        name: "two",
        version: "1.0",
        ..Fabricated::default()
    });
    let lines = "file:///gone.tar.gz#egg=Does.Not-Exist\n\
        https://x.example/a.zip#subdirectory=b&egg=two  # as it was\n\
        https://x.example/b.zip\n";
    fs_err::write(world.path().join("hints.txt"), lines).unwrap();
    let shown = world.run("freeze -r hints.txt");
    for line in [
        "WARNING: Requirement file [hints.txt] contains \
         file:///gone.tar.gz#egg=Does.Not-Exist, but package 'Does.Not-Exist' is not installed\n",
        "\ntwo==1.0\n## The following",
        "Skipping line in requirement file [hints.txt] because it's not clear what it would \
         install: https://x.example/b.zip\n  (add #egg=PackageName to the URL to avoid this \
         warning)",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
}

#[test]
fn searching_is_answered_with_what_to_do() {
    let world = World::new();
    let shown = world.run("search");
    assert!(
        shown.contains("ERROR: Missing required argument (search query)."),
        "{shown}"
    );
    let shown = world.run("search torch wheels");
    assert!(shown.contains("exit code: 1"), "{shown}");
    assert!(shown.contains("no longer answers searches"), "{shown}");
    assert!(shown.contains("hint: "), "{shown}");
    assert_eq!(world.run("help search"), world.run("search --help"));
}

#[test]
fn features_that_need_no_asking_are_told() {
    let world = World::new();
    let shown = world.run("list --use-feature truststore --use-feature fast-deps");
    assert!(
        shown.contains("WARNING: The following features are always enabled: truststore."),
        "{shown}"
    );
}

#[test]
fn the_interpreters_encodings_are_shown() {
    let shown = World::new().run("debug");
    for line in [
        "sys.getdefaultencoding: utf-8\n",
        "sys.getfilesystemencoding: utf-8\n",
        "locale.getencoding: ",
        "sys.implementation:\n",
        "'cert' config value: ",
    ] {
        assert!(shown.contains(line), "{line}: {shown}");
    }
}

#[test]
fn the_cache_says_what_went() {
    let world = World::new();
    // What making the environment kept of its interpreter.
    world.run("cache purge");
    let shown = world.run("cache purge");
    assert!(shown.contains("Directories removed: 0\n"), "{shown}");
    let cache = world.path().join("cache/pages");
    fs_err::create_dir_all(&cache).unwrap();
    fs_err::write(cache.join("one"), "abc").unwrap();
    let shown = world.run("cache purge -v");
    assert!(shown.contains("Removed "), "{shown}");
    assert!(shown.contains("Files removed: 1 (3 bytes)\n"), "{shown}");
    assert!(shown.contains("Directories removed: 1\n"), "{shown}");
    let shown = world.run("cache remove --no-cache-dir");
    assert!(shown.contains("since cache is disabled."), "{shown}");
    let shown = world.run("cache remove");
    assert!(shown.contains("ERROR: Please provide a pattern"), "{shown}");
}

#[test]
fn a_file_address_that_leads_nowhere() {
    let shown = World::new().run("install -r file:nowhere.txt");
    let said = "404 Client Error: FileNotFoundError for url: file:nowhere.txt";
    assert!(shown.contains(said), "{shown}");
}

#[test]
fn what_cannot_be_read_of_one_package_is_told_of_others() {
    let world = World::new();
    world.install(&Fabricated {
        name: "odd",
        version: "1.0",
        headers: &["Requires-Dist: other ==2010i"],
        ..Fabricated::default()
    });
    world.install(&Fabricated {
        name: "older",
        version: "2010i",
        ..Fabricated::default()
    });
    let shown = world.run("show odd");
    assert!(shown.contains("\nRequires: other ==2010i\n"), "{shown}");
    assert!(shown.contains("\nRequired-by: #N/A\n"), "{shown}");
    world.install(&Fabricated {
        name: "needs",
        version: "1.0",
        headers: &["Requires-Dist: odd"],
        ..Fabricated::default()
    });
    let shown = world.run("show odd");
    assert!(shown.contains("\nRequired-by: needs\n"), "{shown}");
    let shown = world.run("check");
    assert!(shown.starts_with("exit code: 1"), "{shown}");
    for said in [
        "WARNING: Error parsing dependencies of odd: ",
        "WARNING: Error parsing dependencies of older: Invalid version: '2010i'",
    ] {
        assert!(shown.contains(said), "{shown}");
    }
}
