//! What settings come to as arguments.

use super::*;

fn root() -> Command {
    Command::new("bnbpip")
        .arg(Arg::new("python").long("python").global(true))
        .arg(
            Arg::new("verbose")
                .short('v')
                .long("verbose")
                .action(ArgAction::Count)
                .global(true),
        )
        .subcommand(
            Command::new("install")
                .arg(
                    Arg::new("links")
                        .long("find-links")
                        .action(ArgAction::Append),
                )
                .arg(Arg::new("index").long("index-url").alias("pypi-url"))
                .arg(Arg::new("pre").long("pre").action(ArgAction::SetTrue))
                .arg(
                    Arg::new("no_compile")
                        .long("no-compile")
                        .action(ArgAction::SetTrue),
                )
                .arg(
                    Arg::new("timeout")
                        .long("timeout")
                        .value_parser(clap::value_parser!(u32)),
                ),
        )
        .subcommand(Command::new("cache").subcommand(Command::new("dir")))
}

fn parse(line: &str, variables: &[(&str, &str)]) -> Result<String, Failure> {
    let mut root = root();
    root.build();
    let line = line.split(' ').map(OsString::from).collect();
    let mut variables = variables.to_vec();
    // The machine's own files are none of the tests' business.
    let null_device = if cfg!(windows) { "nul" } else { "/dev/null" };
    variables.push(("PIP_CONFIG_FILE", null_device));
    let environment = ProcessEnvironment::of(&variables);
    let arguments = with_environment(line, &root, &environment)?.arguments;
    let arguments: Vec<_> = arguments.iter().filter_map(|word| word.to_str()).collect();
    Ok(arguments.join(" "))
}

#[test]
fn variables_come_before_what_was_typed() {
    let arguments = parse(
        "bnbpip -v install --find-links b x",
        &[
            ("PIP_FIND_LINKS", "a1 a2"),
            ("PIP_PRE", "yes"),
            ("BNBPIP_INDEX_URL", "u"),
        ],
    );
    assert_eq!(
        arguments.unwrap(),
        "bnbpip install --find-links=a1 --find-links=a2 --pre --index-url=u -v --find-links b x"
    );
}

#[test]
fn an_options_value_is_no_subcommand() {
    assert_eq!(
        parse("bnbpip --python install install x", &[]).unwrap(),
        "bnbpip install --python install x"
    );
    assert_eq!(
        parse("bnbpip -v cache dir", &[("PIP_PYTHON", "p")]).unwrap(),
        "bnbpip cache dir --python=p -v"
    );
}

#[test]
fn options_may_stand_before_a_groups_second_word() {
    assert_eq!(
        parse("bnbpip cache --python p -v dir x", &[]).unwrap(),
        "bnbpip cache dir --python p -v x"
    );
    assert_eq!(
        parse("bnbpip cache -- dir", &[]).unwrap(),
        "bnbpip cache -- dir"
    );
}

#[test]
fn negative_switches_take_the_value_of_what_they_switch() {
    assert_eq!(
        parse("bnbpip install", &[("PIP_NO_COMPILE", "0")]).unwrap(),
        "bnbpip install --no-compile"
    );
    assert_eq!(
        parse("bnbpip install", &[("PIP_NO_COMPILE", "1")]).unwrap(),
        "bnbpip install"
    );
}

#[test]
fn isolation_and_empty_values() {
    let line = "bnbpip install --isolated";
    assert_eq!(parse(line, &[("PIP_PRE", "1")]).unwrap(), line);
    assert_eq!(
        parse("bnbpip install", &[("PIP_INDEX_URL", "")]).unwrap(),
        "bnbpip install"
    );
}

#[test]
fn bad_values_are_named() {
    let failure = parse("bnbpip install", &[("PIP_TIMEOUT", "soon")]).unwrap_err();
    assert_eq!(failure.exit_code(), 3);
    assert!(failure.messages()[0].contains("PIP_TIMEOUT"), "{failure:?}");
    let failure = parse("bnbpip install", &[("PIP_PRE", "maybe")]).unwrap_err();
    assert!(
        failure.messages()[0].contains("`maybe` is not a boolean"),
        "{failure:?}"
    );
}
