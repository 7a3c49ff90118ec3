//! The access log of a real Swift's proxy (Swift's documentation, "Proxy Logs"): one line for each request, with its fields in a
//! fixed order. A line whose first field, the client's address, is `-` is a request that a middleware made on its own account.
//! What names no container, such as a bulk delete, is seen by the fake Swift alone.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::support::backend::variable;
use crate::support::swift::Container;

/// The place of each field in a line.
const CLIENT: usize = 0;
const METHOD: usize = 3;
const PATH: usize = 4;
const STATUS: usize = 6;

/// The lines about one container, from the moment on at which it was opened.
pub(super) struct AccessLog {
    file: PathBuf,
    position: u64,
    container: String,
}

impl AccessLog {
    pub(super) fn of_container(container: &str) -> Self {
        let file = PathBuf::from(variable("SWIFT_ACCESS_LOG"));
        let position = std::fs::metadata(&file).unwrap().len();
        Self { file, position, container: container.to_owned() }
    }

    /// The requests since the last time. The proxy writes a line when an answer has ended; so another request is made, and the
    /// lines before that of this one are all.
    pub(super) async fn take(&mut self, container: &Container) -> Vec<String> {
        let marker = format!("counted-until-{:016x}", rand::random::<u64>());
        container.get(&marker).await.expect(404);
        let begun = Instant::now();
        loop {
            let new = self.new_text();
            if let Some(line) = new.lines().find(|line| line.contains(&marker)) {
                let end = new.find(line).unwrap();
                let next = new[end..].find('\n').map_or(new.len(), |length| end + length + 1);
                self.position += next as u64;
                return new[..end].lines().filter_map(|line| self.request(line)).collect();
            }
            assert!(begun.elapsed() < Duration::from_mins(1), "{marker} is not in {}", self.file.display());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    fn new_text(&self) -> String {
        let mut file = File::open(&self.file).unwrap();
        file.seek(SeekFrom::Start(self.position)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        text
    }

    /// The request of a line, when it is a client's and of this container.
    fn request(&self, line: &str) -> Option<String> {
        let fields: Vec<_> = line.split(' ').collect();
        assert!(fields.len() > STATUS, "not a line of a proxy's access log: {line}");
        let mut path = fields[PATH].splitn(5, ['/', '?']).skip(3);
        let container = path.next()?.split("%3F").next()?;
        let is_counted = fields[CLIENT] != "-" && container == self.container;
        is_counted.then(|| format!("{} {} {}", fields[METHOD], fields[PATH], fields[STATUS]))
    }
}
