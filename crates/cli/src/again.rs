//! The command that repeats a case, as findings and records name it. It holds files and addresses, never a secret.

use kconform_brokers::Release;

use crate::args::Conform;

/// The command up to `--exact`: how the target is reached, and what changes a verdict.
pub(crate) fn command(args: &Conform, own: Option<Release>) -> String {
    let mut words = start();
    match own {
        Some(release) => words.extend(own_again(args, release)),
        None => words.extend(args.reach.again()),
    }
    if let Some(reference) = args.manner.reference {
        words.extend(["--reference".to_owned(), reference.to_string()]);
    }
    if args.manner.allow_disruptive {
        words.push("--allow-disruptive".to_owned());
    }
    if args.manner.strict {
        words.push("--strict".to_owned());
    }
    words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
}

/// The flags that start the same Apache Kafka again.
fn own_again(args: &Conform, release: Release) -> Vec<String> {
    let own = &args.own;
    let mut words = vec!["--release".to_owned(), release.to_string()];
    if own.nodes() != 1 {
        words.extend(["--nodes".to_owned(), own.nodes().to_string()]);
    }
    if own.no_authorizer {
        words.push("--no-authorizer".to_owned());
    }
    for (name, level) in &own.feature {
        words.extend(["--feature".to_owned(), format!("{name}={level}")]);
    }
    for (name, value) in &own.setting {
        words.extend(["--setting".to_owned(), format!("{name}={value}")]);
    }
    if own.apache_defaults {
        words.push("--apache-defaults".to_owned());
    }
    words
}

/// The same for a recording.
pub(crate) fn replay(recording: &str) -> String {
    let words = start().into_iter().chain(["--replay".to_owned(), recording.to_owned()]);
    words.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
}

/// `kconform`, or `cargo xtask` where the user came that way.
pub(crate) fn called() -> String {
    std::env::var("KCONFORM_INVOKED_AS").unwrap_or_else(|_| "kconform".to_owned())
}

/// `kconform conform`, or `cargo xtask conform`.
fn start() -> Vec<String> {
    called().split_whitespace().map(str::to_owned).chain(["conform".to_owned()]).collect()
}

/// A word as a POSIX shell takes it for one.
fn quoted(word: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:,=@%+[]".contains(char);
    // Brackets are plain only where they cannot match a file: around an IPv6 address.
    if !word.is_empty() && word.chars().all(plain) && !word.contains('[') {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use clap::Parser;

    use super::*;
    use crate::args::{Cli, Command};

    fn again(words: &[&str], own: Option<Release>) -> String {
        let words = ["kconform", "conform"].iter().chain(words);
        match Cli::try_parse_from(words).unwrap().command {
            Command::Conform(args) => command(&args, own),
            _ => String::new(),
        }
    }

    #[test]
    fn the_command_reaches_the_target_as_this_run_did() {
        let words = [
            "--bootstrap",
            "a:1,b:2",
            "--command-config",
            "my client.properties",
            "--user",
            "alice",
            "--password-file",
            "pw",
            "--reference",
            "4.1",
            "--strict",
            "--jobs",
            "4",
            "--api",
            "Fetch",
        ];
        assert_eq!(
            again(&words, None),
            "kconform conform --bootstrap a:1,b:2 --command-config 'my client.properties' --user alice \
             --password-file pw --reference 4.1 --strict"
        );
    }

    #[test]
    fn a_broker_of_our_own_is_started_again_as_it_was() {
        let words = "--release 3.9 --nodes 3 --no-authorizer --feature transaction.version=0 \
                     --setting auto.create.topics.enable=false";
        let words: Vec<_> = words.split_whitespace().collect();
        assert_eq!(
            again(&words, Some(Release::parse("3.9").unwrap())),
            "kconform conform --release 3.9.2 --nodes 3 --no-authorizer --feature transaction.version=0 \
             --setting auto.create.topics.enable=false"
        );
    }

    #[test]
    fn words_are_quoted_for_a_shell_only_where_they_must() {
        for (word, shown) in [
            ("a.example:9092,b:1", "a.example:9092,b:1"),
            ("my file.toml", "'my file.toml'"),
            ("it's", r"'it'\''s'"),
            ("[::1]:9092", "'[::1]:9092'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), shown);
        }
    }
}
