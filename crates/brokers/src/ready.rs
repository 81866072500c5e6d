//! Whether a broker serves: what its log says, and what it answers.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A broker on the loopback device answers within milliseconds once it serves.
const PATIENCE: Duration = Duration::from_secs(2);

/// No cluster of ours has a longer Metadata answer.
const LONGEST_ANSWER: usize = 1 << 20;

/// What a broker's log has said since a point in time.
pub(crate) struct LogWatch {
    path: PathBuf,
    offset: u64,
    /// The end of what was read last, in case a sentence was cut.
    rest: String,
    started: bool,
    port_taken: bool,
}

impl LogWatch {
    /// Watches what is appended from now on.
    pub(crate) fn from_end(path: &Path) -> LogWatch {
        let offset = path.metadata().map_or(0, |file| file.len());
        LogWatch {
            path: path.to_owned(),
            offset,
            rest: String::new(),
            started: false,
            port_taken: false,
        }
    }

    /// Reads on. A file that does not exist yet says nothing.
    pub(crate) fn read(&mut self) {
        let Ok(new) = read_from(&self.path, self.offset) else { return };
        self.offset += new.len() as u64;
        let text = std::mem::take(&mut self.rest) + &String::from_utf8_lossy(&new);
        self.started |= text.contains("Kafka Server started");
        self.port_taken |= text.contains("Address already in use");
        let cut = text.rfind('\n').map_or(0, |end| end + 1);
        self.rest = text[cut..].to_owned();
    }

    /// `KafkaRaftServer` has said that it started.
    pub(crate) fn started(&self) -> bool {
        self.started
    }

    /// A listener could not be bound.
    pub(crate) fn port_taken(&self) -> bool {
        self.port_taken
    }
}

/// The last lines of a file, oldest first; none when there is no file.
pub(crate) fn tail(path: &Path, lines: usize) -> Vec<String> {
    let text = end_of(path);
    let all: Vec<&str> = text.lines().collect();
    all[all.len().saturating_sub(lines)..].iter().map(|line| (*line).to_owned()).collect()
}

/// The lines of a log that tell why a broker failed: from the first error on, or else the last
/// ones. Stack frames are left out, and so is what a broker says of its shutdown, which would push
/// the cause out of sight.
pub(crate) fn telling_lines(path: &Path, lines: usize) -> Vec<String> {
    const LONGEST_LINE: usize = 400;
    let text = end_of(path);
    let noise = |line: &&str| line.starts_with("\tat ") || line.starts_with("log4j:WARN");
    let all: Vec<&str> = text.lines().filter(|line| !noise(line)).collect();
    let bad =
        |line: &&str| [" ERROR ", " FATAL ", "Exception"].iter().any(|mark| line.contains(mark));
    let told: Vec<&str> = match all.iter().position(bad) {
        Some(from) => all[from..]
            .iter()
            .filter(|line| !line.contains(" INFO "))
            .take(lines)
            .copied()
            .collect(),
        None => all[all.len().saturating_sub(lines)..].to_vec(),
    };
    told.iter().map(|line| line.chars().take(LONGEST_LINE).collect()).collect()
}

/// As much of the end of a file as is worth looking at.
fn end_of(path: &Path) -> String {
    const READ: u64 = 256 * 1024;
    let length = path.metadata().map_or(0, |file| file.len());
    let bytes = read_from(path, length.saturating_sub(READ)).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The ports of the brokers that the one at `port` lists in its Metadata.
///
/// # Errors
///
/// It does not accept, does not answer, or answers something else.
pub(crate) fn listed_brokers(port: u16) -> io::Result<Vec<i32>> {
    let mut stream =
        TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    stream.write_all(&METADATA_REQUEST)?;
    let mut size = [0; 4];
    stream.read_exact(&mut size)?;
    let size = usize::try_from(i32::from_be_bytes(size)).unwrap_or(usize::MAX);
    if size > LONGEST_ANSWER {
        return Err(io::Error::other("a Metadata answer of impossible length"));
    }
    let mut answer = vec![0; size];
    stream.read_exact(&mut answer)?;
    ports_in(&answer).ok_or_else(|| io::Error::other("an unreadable Metadata answer"))
}

/// Metadata version 1 for no topic: length, key 3, version 1, correlation id 7, client id null, an
/// empty list of topics. Every release answers version 1.
const METADATA_REQUEST: [u8; 18] = [0, 0, 0, 14, 0, 3, 0, 1, 0, 0, 0, 7, 0xff, 0xff, 0, 0, 0, 0];

/// Reads the brokers out of a Metadata response of version 1: node id, host, port, nullable rack.
fn ports_in(answer: &[u8]) -> Option<Vec<i32>> {
    let mut rest = answer;
    if take_int(&mut rest)? != 7 {
        return None;
    }
    let count = take_int(&mut rest)?;
    let mut ports = Vec::new();
    for _ in 0..count {
        take_int(&mut rest)?;
        skip_string(&mut rest)?;
        ports.push(take_int(&mut rest)?);
        skip_string(&mut rest)?;
    }
    Some(ports)
}

fn take_int(rest: &mut &[u8]) -> Option<i32> {
    let (int, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    Some(i32::from_be_bytes(*int))
}

/// A string whose length is -1 is null and has no bytes.
fn skip_string(rest: &mut &[u8]) -> Option<()> {
    let (length, tail) = rest.split_first_chunk::<2>()?;
    let length = usize::try_from(i16::from_be_bytes(*length)).unwrap_or(0);
    *rest = tail.get(length..)?;
    Some(())
}

fn read_from(path: &Path, offset: u64) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs::{self, OpenOptions};

    use super::*;

    #[test]
    fn only_what_is_appended_counts_even_when_a_sentence_comes_in_two_parts() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "INFO Kafka Server started (before)\n").unwrap();
        let mut watch = LogWatch::from_end(&path);
        watch.read();
        assert!(!watch.started());
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"INFO x\nINFO Kafka Ser").unwrap();
        watch.read();
        assert!(!watch.started());
        file.write_all(b"ver started\n").unwrap();
        watch.read();
        assert!(watch.started() && !watch.port_taken());
    }

    #[test]
    fn the_tail_is_the_end_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        assert!(tail(&path, 3).is_empty());
        fs::write(&path, "a\nb\nc\n").unwrap();
        assert_eq!(tail(&path, 2), ["b", "c"]);
        assert_eq!(tail(&path, 9), ["a", "b", "c"]);
    }

    #[test]
    fn an_error_is_shown_from_its_beginning_and_without_its_frames() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "1 INFO a\n2 INFO b\n3 INFO c\n").unwrap();
        assert_eq!(telling_lines(&path, 2), ["2 INFO b", "3 INFO c"]);
        fs::write(
            &path,
            "1 INFO a\n2 ERROR b\nx.Y: z\n\tat q.r\nCaused by: c\n3 INFO down\n4 INFO end\n",
        )
        .unwrap();
        assert_eq!(telling_lines(&path, 9), ["2 ERROR b", "x.Y: z", "Caused by: c"]);
    }

    #[test]
    fn brokers_are_read_and_a_cut_answer_is_refused() {
        let answer = [
            &[0, 0, 0, 7, 0, 0, 0, 2][..],
            &[0, 0, 0, 1, 0, 1, b'h', 0, 0, 0x23, 0x84, 0xff, 0xff],
            &[0, 0, 0, 2, 0, 0, 0, 0, 0x23, 0x85, 0, 2, b'r', b'2'],
        ]
        .concat();
        assert_eq!(ports_in(&answer), Some(vec![9092, 9093]));
        for cut in 0..answer.len() {
            assert_eq!(ports_in(&answer[..cut]), None, "cut at {cut}");
        }
        assert_eq!(ports_in(&[0, 0, 0, 8, 0, 0, 0, 0]), None, "another correlation id");
        assert_eq!(
            ports_in(&[0, 0, 0, 7, 0x7f, 0xff, 0xff, 0xff]),
            None,
            "more brokers than bytes"
        );
    }
}
