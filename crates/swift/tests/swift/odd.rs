//! A peer that answers as no Swift should, over a bare socket.

use std::sync::{Arc, Mutex, PoisonError};

use apus_swift::{Password, SwiftConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

use crate::support::CONTAINER;

/// A peer that signs anyone in, has the container, and for the rest answers by script.
pub(crate) struct Odd {
    pub(crate) config: SwiftConfig,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Odd {
    /// `answer` gets the method and the path with its query, and gives the status line and headers but the length, and the
    /// body.
    pub(crate) async fn start(
        answer: impl Fn(&str, &str) -> (&'static str, &'static str) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let root = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::default());
        let mut config =
            SwiftConfig::new(format!("{root}/auth/v1.0"), Password::new("user", "key"), CONTAINER);
        // It says nothing of itself, and would be asked before each write whether there is something.
        config.capabilities.conditional_writes = Some(true);
        let (answer, log) = (Arc::new(answer), Arc::clone(&asked));
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let (answer, log, root) = (Arc::clone(&answer), Arc::clone(&log), root.clone());
                tokio::spawn(async move { serve(socket, &root, &*answer, &log).await });
            }
        });
        Self { config, asked }
    }

    /// What it was asked of objects, as method and path.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn serve(
    socket: TcpStream,
    root: &str,
    answer: &(impl Fn(&str, &str) -> (&'static str, &'static str) + Send + Sync),
    log: &Mutex<Vec<String>>,
) {
    let mut socket = BufStream::new(socket);
    loop {
        let head = read_until(&mut socket, "\r\n\r\n").await;
        let mut words = head.split_whitespace();
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return };
        let lower = head.to_lowercase();
        if lower.contains("expect: 100-continue") {
            say(&mut socket, "HTTP/1.1 100 Continue\r\n\r\n").await;
        }
        if lower.contains("transfer-encoding: chunked") {
            read_until(&mut socket, "\r\n0\r\n\r\n").await;
        } else if let Some(length) = lower.split("content-length: ").nth(1) {
            let length: usize = length.split_whitespace().next().unwrap().parse().unwrap();
            socket.read_exact(&mut vec![0; length]).await.unwrap();
        }
        let (head, body) = if path == "/auth/v1.0" {
            (format!("200 OK\r\nX-Storage-Url: {root}/v1/a\r\nX-Auth-Token: t"), "")
        } else if path == "/info" {
            ("404 Not Found".to_owned(), "")
        } else if path == format!("/v1/a/{CONTAINER}") {
            ("204 No Content".to_owned(), "")
        } else {
            log.lock().unwrap_or_else(PoisonError::into_inner).push(format!("{method} {path}"));
            let (head, body) = answer(method, path);
            (head.to_owned(), body)
        };
        let length = if head.starts_with("204") {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let body = if method == "HEAD" { "" } else { body };
        let answer = format!("HTTP/1.1 {head}\r\n{length}\r\n{body}");
        say(&mut socket, &answer).await;
    }
}

/// A peer that has gone away is noticed by the next reading.
async fn say(socket: &mut BufStream<TcpStream>, text: &str) {
    let _ = socket.write_all(text.as_bytes()).await;
    let _ = socket.flush().await;
}

async fn read_until(socket: &mut BufStream<TcpStream>, end: &str) -> String {
    let mut read = Vec::new();
    while !read.ends_with(end.as_bytes()) {
        match socket.read_u8().await {
            Ok(byte) => read.push(byte),
            Err(_) => return String::new(),
        }
    }
    String::from_utf8_lossy(&read).into_owned()
}
