//! The Java virtual machine: whether there is one, and how it is called.

use std::env;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Release, jars};

/// The oldest Java that runs every release of the list.
const OLDEST_JAVA: u32 = 17;

/// Something that starting a broker needs is not there. Displays with what to install, and with the
/// way around.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Missing {
    /// No Java at all, neither in `$JAVA_HOME` nor on the path.
    Java,
    /// A Java older than 17.
    OldJava {
        /// What it says of itself.
        found: String,
    },
    /// No Maven, and the jars of this release are not in the cache.
    Maven {
        /// The release that would have to be fetched.
        release: Release,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Missing::Java => {
                f.write_str("no Java found to run Apache Kafka with; install the package openjdk-17-jre-headless")?;
            }
            Missing::OldJava { found } => {
                write!(
                    f,
                    "Apache Kafka needs Java {OLDEST_JAVA} or newer, but found `{found}`; \
                     install the package openjdk-17-jre-headless"
                )?;
            }
            Missing::Maven { release } => {
                write!(
                    f,
                    "no Maven found to fetch Apache Kafka {release} with, and it is not in the cache; \
                     install the package maven (beside openjdk-17-jre-headless)"
                )?;
            }
        }
        f.write_str(", or name a broker that runs already with --bootstrap")
    }
}

impl std::error::Error for Missing {}

/// Whether the newest release can be started here: Java 17 or newer, and Maven unless its jars are
/// cached.
///
/// # Errors
///
/// What is missing.
pub fn prerequisites() -> Result<(), Missing> {
    prerequisites_for(&[Release::newest()])
}

/// Whether these releases can be started here: Java 17 or newer, and Maven unless the jars of each
/// are cached.
///
/// # Errors
///
/// What is missing.
pub fn prerequisites_for(releases: &[Release]) -> Result<(), Missing> {
    let found = java_version().ok_or(Missing::Java)?;
    if major(&found).is_none_or(|major| major < OLDEST_JAVA) {
        return Err(Missing::OldJava { found });
    }
    match releases.iter().find(|release| !jars::are_cached(**release)) {
        Some(release) if !has_maven() => Err(Missing::Maven { release: *release }),
        _ => Ok(()),
    }
}

/// A virtual machine with the jars of a directory, quick to start and small.
///
/// Whatever it unpacks (native compression libraries) goes to `scratch`, since a killed machine
/// cleans nothing up.
pub(crate) fn machine(libs: &Path, heap_megabytes: u32, scratch: &Path) -> Command {
    let mut command = Command::new(java());
    command.args(["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"]);
    command.arg(format!("-Xmx{heap_megabytes}m"));
    command.arg(format!("-Djava.io.tmpdir={}", scratch.display()));
    command.arg("-cp").arg(libs.join("*")).stdin(Stdio::null());
    command
}

fn java() -> PathBuf {
    let home = env::var_os("JAVA_HOME").map(|home| Path::new(&home).join("bin/java"));
    home.filter(|java| java.is_file()).unwrap_or_else(|| PathBuf::from("java"))
}

/// The first line of `java -version`, which goes to the standard error.
fn java_version() -> Option<String> {
    let output = Command::new(java()).arg("-version").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&output.stderr);
    let line = text.lines().find(|line| line.contains(" version "))?;
    output.status.success().then(|| line.trim().to_owned())
}

/// The major version in such a line: 17 of `openjdk version "17.0.15"`, 8 of `java version
/// "1.8.0_292"`.
fn major(line: &str) -> Option<u32> {
    let version = line.split('"').nth(1)?;
    let mut numbers =
        version.split(|char: char| !char.is_ascii_digit()).map(|part| part.parse::<u32>().ok());
    match numbers.next()?? {
        1 => numbers.next()?,
        major => Some(major),
    }
}

fn has_maven() -> bool {
    let Some(path) = env::var_os("PATH") else { return false };
    env::split_paths(&path).any(|dir| dir.join("mvn").is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_in_both_spellings() {
        assert_eq!(major(r#"openjdk version "17.0.15" 2025-04-15"#), Some(17));
        assert_eq!(major(r#"openjdk version "21" 2023-09-19"#), Some(21));
        assert_eq!(major(r#"openjdk version "25-ea" 2025-09-16"#), Some(25));
        assert_eq!(major(r#"java version "1.8.0_292""#), Some(8));
        assert_eq!(major("no version here"), None);
        assert_eq!(major(r#"odd version "x""#), None);
    }

    #[test]
    fn what_is_missing_names_the_package_and_the_way_around() {
        let maven = Missing::Maven { release: Release::newest() }.to_string();
        assert!(maven.contains("Apache Kafka 4.4.0") && maven.contains("package maven"), "{maven}");
        let old = Missing::OldJava { found: "java version \"11\"".to_owned() }.to_string();
        assert!(old.contains("`java version \"11\"`"), "{old}");
        for text in [maven, old, Missing::Java.to_string()] {
            assert!(
                text.contains("openjdk-17-jre-headless") && text.ends_with("--bootstrap"),
                "{text}"
            );
        }
    }
}
