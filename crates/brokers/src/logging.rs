//! Logging of the brokers: everything of a node into one file.

use std::path::Path;

use crate::Release;

/// The text of a node's logging configuration and the name of its file. 3.x logs through reload4j,
/// 4.x through log4j 2.
pub(crate) fn configuration(release: Release, log: &Path) -> (&'static str, String) {
    let log = log.display();
    if release.line_numbers() < (4, 0) {
        let text = format!(
            "log4j.rootLogger=INFO, F\n\
             log4j.appender.F=org.apache.log4j.FileAppender\n\
             log4j.appender.F.File={log}\n\
             log4j.appender.F.layout=org.apache.log4j.PatternLayout\n\
             log4j.appender.F.layout.ConversionPattern=%d %p %m (%c)%n\n"
        );
        return ("log4j.properties", text);
    }
    let text = format!(
        "rootLogger.level=info\n\
         rootLogger.appenderRef.f.ref=F\n\
         appender.f.type=File\n\
         appender.f.name=F\n\
         appender.f.fileName={log}\n\
         appender.f.layout.type=PatternLayout\n\
         appender.f.layout.pattern=%d %p %m (%c)%n\n"
    );
    ("log4j2.properties", text)
}

/// The system property that names the configuration to the virtual machine.
pub(crate) fn java_option(release: Release, configuration: &Path) -> String {
    let file = configuration.display();
    if release.line_numbers() < (4, 0) {
        format!("-Dlog4j.configuration=file:{file}")
    } else {
        format!("-Dlog4j2.configurationFile={file}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn each_line_gets_its_own_logging_library() {
        let log = Path::new("/d/kafka.log");
        let (name, text) = configuration(Release::parse("3.9").unwrap(), log);
        assert_eq!(name, "log4j.properties");
        assert!(text.contains("log4j.appender.F.File=/d/kafka.log\n"));
        assert_eq!(
            java_option(Release::parse("3.9").unwrap(), Path::new("/d/l")),
            "-Dlog4j.configuration=file:/d/l"
        );

        let (name, text) = configuration(Release::newest(), log);
        assert_eq!(name, "log4j2.properties");
        assert!(text.contains("appender.f.fileName=/d/kafka.log\n"));
        assert_eq!(
            java_option(Release::newest(), Path::new("/d/l")),
            "-Dlog4j2.configurationFile=/d/l"
        );
    }
}
