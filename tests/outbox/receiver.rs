//! A receiver of webhooks: an HTTP server that keeps what it gets.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// What it says to a request: all of it, or nothing when it is to hang up.
type Answer = Box<dyn Fn(&Post) -> String + Send + Sync>;

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    /// Method and target.
    pub(crate) line: String,
    /// By their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Post {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// `event host` of each event in it.
    pub(crate) fn events(&self) -> Vec<String> {
        let json = self.json();
        let events = json["events"].as_array().unwrap().iter();
        events
            .map(|event| format!("{} {}", event["event"], event["host"]).replace('"', ""))
            .collect()
    }
}

/// The server.
pub(crate) struct Receiver {
    pub(crate) address: SocketAddr,
    posts: Arc<Mutex<Vec<Post>>>,
    answer: Arc<Mutex<Answer>>,
}

impl Receiver {
    /// One that takes everything.
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let posts: Arc<Mutex<Vec<Post>>> = Arc::default();
        let answer: Arc<Mutex<Answer>> = Arc::new(Mutex::new(Box::new(|_| status("200 OK"))));
        let receiver = Receiver {
            address: listener.local_addr().unwrap(),
            posts: posts.clone(),
            answer: answer.clone(),
        };
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (posts, answer) = (posts.clone(), answer.clone());
                thread::spawn(move || serve(stream.unwrap(), &posts, &answer));
            }
        });
        receiver
    }

    /// From now on it says something else.
    pub(crate) fn says(&self, answer: impl Fn(&Post) -> String + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    /// What it has got since it was last asked.
    pub(crate) fn take(&self) -> Vec<Post> {
        std::mem::take(&mut self.posts.lock().unwrap())
    }

    /// The table for it, with further keys.
    pub(crate) fn table(&self, more: &str) -> String {
        format!(
            "[notify.webhook]\nurl = \"http://{}/hook\"\n{more}\n",
            self.address
        )
    }
}

/// An answer with that status and nothing else.
pub(crate) fn status(status: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn serve(stream: TcpStream, posts: &Mutex<Vec<Post>>, answer: &Mutex<Answer>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    if reader.read_line(&mut line).unwrap_or(0) == 0 {
        return;
    }
    let mut headers = BTreeMap::new();
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap_or(0);
        let Some((name, value)) = header.split_once(':') else {
            break;
        };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").map_or("0", String::as_str);
    let mut body = vec![0; length.parse().unwrap()];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    let post = Post {
        line: line.trim().to_owned(),
        headers,
        body: String::from_utf8(body).unwrap(),
    };
    let said = answer.lock().unwrap()(&post);
    posts.lock().unwrap().push(post);
    let _ = reader.get_mut().write_all(said.as_bytes());
}
