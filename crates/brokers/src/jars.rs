//! The jars of a release: fetched once with Maven, then used from a cache.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{StartCause, StartError};
use crate::{Release, places};

/// A release is about 45 MB; a line that needs longer than this is as good as none.
const FETCH_DEADLINE: Duration = Duration::from_secs(600);

/// Whether a release can be started without the network.
pub(crate) fn are_cached(release: Release) -> bool {
    complete(&libs(release), release)
}

/// The directory of a release's jars, fetched if it is not in the cache.
///
/// # Errors
///
/// [`StartCause::Fetch`] when Maven fails, [`StartCause::System`] when the cache cannot be written.
pub(crate) fn ensure(
    release: Release,
    progress: &mut dyn FnMut(&str),
) -> Result<PathBuf, StartError> {
    let libs = libs(release);
    if complete(&libs, release) {
        return Ok(libs);
    }
    progress(&format!("fetching Apache Kafka {release} (about 45 MB, once)"));
    fetch(release, &libs)?;
    Ok(libs)
}

fn libs(release: Release) -> PathBuf {
    places::cache().join("kafka").join(release.to_string())
}

/// The directory appears whole, by a rename; the jar is looked for in case somebody emptied it.
fn complete(libs: &Path, release: Release) -> bool {
    libs.join(format!("kafka_2.13-{release}.jar")).is_file()
}

fn fetch(release: Release, libs: &Path) -> Result<(), StartError> {
    let unwritable = |error: &io::Error| {
        StartError::system(format!("cannot write the cache {}", libs.display()), error)
            .with_remedy("set KCONFORM_CACHE to a directory that can be written")
    };
    let parent = libs.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(parent).map_err(|error| unwritable(&error))?;
    // In the cache itself, since a rename does not cross file systems.
    let work = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(parent)
        .map_err(|error| unwritable(&error))?;
    let pom = work.path().join("pom.xml");
    fs::write(&pom, project(release)).map_err(|error| unwritable(&error))?;
    let fetched = work.path().join("libs");
    copy_dependencies(release, &pom, &fetched)?;
    if !complete(&fetched, release) {
        return Err(failed(release, "Maven reported success but left no jars", Vec::new()));
    }
    match fs::rename(&fetched, libs) {
        // Somebody else was quicker; theirs is as good.
        Err(_) if complete(libs, release) => Ok(()),
        // An unfinished directory is in the way.
        Err(_) if libs.is_dir() => {
            fs::remove_dir_all(libs).and_then(|()| fs::rename(&fetched, libs))
        }
        renamed => renamed,
    }
    .map_err(|error| unwritable(&error))
}

fn copy_dependencies(release: Release, pom: &Path, into: &Path) -> Result<(), StartError> {
    let mut maven = Command::new("mvn")
        .args(["-q", "-B", "-f"])
        .arg(pom)
        .arg("org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies")
        .arg(format!("-DoutputDirectory={}", into.display()))
        .arg("-DincludeScope=runtime")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| StartError::system("cannot run Maven (mvn)", &error))?;
    // Read beside the wait, so that a talkative Maven does not block on a full pipe.
    let output = maven.stdout.take().map(|mut pipe| {
        thread::spawn(move || {
            let mut bytes = Vec::new();
            // What was read before an error is all there is to show.
            let _ = pipe.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    });
    let status = wait(&mut maven, FETCH_DEADLINE)
        .map_err(|error| StartError::system("cannot wait for Maven", &error))?;
    let said = output.and_then(|reader| reader.join().ok()).unwrap_or_default();
    match status {
        Some(true) => Ok(()),
        Some(false) => Err(failed(release, "Maven failed", telling_lines(&said))),
        None => Err(failed(release, "Maven did not end in 10 minutes", telling_lines(&said))),
    }
}

/// Whether the process succeeded; `None` when it had to be killed at the deadline.
fn wait(child: &mut Child, deadline: Duration) -> io::Result<Option<bool>> {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status.success()));
        }
        if begun.elapsed() > deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn failed(release: Release, what: &str, log: Vec<String>) -> StartError {
    StartError::new(StartCause::Fetch, format!("cannot fetch Apache Kafka {release}: {what}"))
        .with_log(log)
        .with_remedy(
            "the first run of a release needs the network: check it, and Maven's settings.xml for a proxy or mirror; \
             or name a broker that runs already with --bootstrap",
        )
}

/// The first lines in which Maven names its trouble; the rest is advice about Maven.
fn telling_lines(said: &str) -> Vec<String> {
    const ADVICE: [&str; 4] = ["[Help", "To see the full", "Re-run Maven", "For more information"];
    // The first line begins with a colour code even in batch mode.
    let trouble = said.lines().filter_map(|line| line.split_once("[ERROR]")).map(|(_, rest)| {
        let sentence = rest.split(" -> [Help").next().unwrap_or(rest);
        sentence.trim()
    });
    let telling =
        |line: &&str| !line.is_empty() && !ADVICE.iter().any(|advice| line.starts_with(advice));
    trouble.filter(telling).take(4).map(|line| line.chars().take(800).collect()).collect()
}

/// A project that depends on the broker and on the logging library of its line.
fn project(release: Release) -> String {
    let logging = if release.line_numbers() < (4, 0) {
        dependency("org.slf4j", "slf4j-reload4j", "1.7.36", "")
    } else {
        let group = "org.apache.logging.log4j";
        dependency(group, "log4j-slf4j-impl", "2.25.1", "")
            + &dependency(group, "log4j-core", "2.25.1", "")
    };
    // 4.4.0 names an artifact that was never published; brokers run without.
    let excluded = "\n      <exclusions><exclusion><groupId>org.apache.kafka</groupId>\
                    <artifactId>kafka-tools-api</artifactId></exclusion></exclusions>";
    let broker = dependency("org.apache.kafka", "kafka_2.13", &release.to_string(), excluded);
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  <modelVersion>4.0.0</modelVersion>\n  \
         <groupId>kconform</groupId>\n  <artifactId>kafka</artifactId>\n  <version>1</version>\n  \
         <packaging>pom</packaging>\n  <dependencies>\n{broker}{logging}  </dependencies>\n</project>\n"
    )
}

fn dependency(group: &str, artifact: &str, version: &str, rest: &str) -> String {
    format!(
        "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
         <version>{version}</version>{rest}</dependency>\n"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_project_asks_for_the_release_and_the_logging_of_its_line() {
        let old = project(Release::parse("3.9").unwrap());
        assert!(
            old.contains("<artifactId>kafka_2.13</artifactId><version>3.9.2</version>"),
            "{old}"
        );
        assert!(old.contains("slf4j-reload4j") && !old.contains("log4j-core"), "{old}");
        let new = project(Release::newest());
        assert!(
            new.contains("<artifactId>kafka_2.13</artifactId><version>4.4.0</version>"),
            "{new}"
        );
        assert!(new.contains("log4j-core") && !new.contains("reload4j"), "{new}");
        assert!(new.contains(
            "<exclusion><groupId>org.apache.kafka</groupId><artifactId>kafka-tools-api</artifactId>"
        ));
    }

    #[test]
    fn a_directory_without_the_broker_is_not_complete() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!complete(dir.path(), Release::newest()));
        fs::write(dir.path().join("kafka_2.13-4.4.0.jar"), "").unwrap();
        assert!(complete(dir.path(), Release::newest()));
        assert!(!complete(dir.path(), Release::parse("4.3").unwrap()));
    }

    #[test]
    fn of_mavens_words_only_the_trouble_is_shown() {
        let said = "[WARNING] x\n\u{1b}[0m[ERROR] Could not transfer artifact -> [Help 1]\n[ERROR] \n\
                    [ERROR] To see the full stack trace of the errors, re-run Maven with the -e switch.\n[ERROR] [Help 1] y";
        assert_eq!(telling_lines(said), ["Could not transfer artifact"]);
    }

    #[test]
    fn a_process_past_its_deadline_is_killed() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        assert_eq!(wait(&mut child, Duration::from_millis(60)).unwrap(), None);
        let mut child = Command::new("false").spawn().unwrap();
        assert_eq!(wait(&mut child, Duration::from_secs(30)).unwrap(), Some(false));
    }
}
