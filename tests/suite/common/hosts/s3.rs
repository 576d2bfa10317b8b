//! An S3 server: moto's, which keeps everything in memory.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Daemon, free_port, need};

/// What is done to the bucket is asked of boto3, which comes with moto: a client that is not ours.
/// It takes a second to load, and so it stays: a question a line, an answer a line, bytes as
/// Latin-1.
const HELPER: &str = r#"
import json, sys, traceback, boto3
from botocore.config import Config
s3 = boto3.client("s3", endpoint_url=sys.argv[1], config=Config(proxies={}, s3={"addressing_style": "path"}))

def objects():
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="site"):
        for key in (found["Key"] for found in page.get("Contents", [])):
            got = s3.get_object(Bucket="site", Key=key)
            yield key, {"content": got["Body"].read().decode("latin-1"), "type": got.get("ContentType"),
                        "cache": got.get("CacheControl"), "encoding": got.get("ContentEncoding")}

def answer(ask):
    if ask["do"] == "create":
        s3.create_bucket(Bucket="site")
    elif ask["do"] == "put":
        s3.put_object(Bucket="site", Key=ask["key"], Body=ask["content"].encode("latin-1"))
    elif ask["do"] == "remove":
        s3.delete_object(Bucket="site", Key=ask["key"])
    else:
        return {"objects": dict(objects())}
    return {}

for line in sys.stdin:
    try:
        said = answer(json.loads(line))
    except Exception:
        said = {"error": traceback.format_exc()}
    print(json.dumps(said), flush=True)
"#;

const ENV: [(&str, &str); 5] = [
    ("AWS_ACCESS_KEY_ID", "folio"),
    ("AWS_SECRET_ACCESS_KEY", "secret"),
    ("AWS_REGION", "us-east-1"),
    ("AWS_DEFAULT_REGION", "us-east-1"),
    ("AWS_EC2_METADATA_DISABLED", "true"),
];

/// An S3 server with the empty bucket `site`. It keeps everything in memory: what stops it empties
/// it.
pub struct S3 {
    daemon: Daemon,
    helper: Mutex<Helper>,
    _state: TempDir,
}

/// An object as it is stored, with what it is served with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Object {
    pub content: Vec<u8>,
    pub content_type: Option<String>,
    pub cache_control: Option<String>,
    pub content_encoding: Option<String>,
}

impl S3 {
    /// Starts a server with an empty bucket named `site`; needs moto_server and its python3.
    pub fn start() -> Option<Self> {
        let (server, python) = (need("moto_server")?, need("python3")?);
        let state = tempfile::tempdir().unwrap();
        let port = free_port();
        // The two load at the same time.
        let helper = Mutex::new(Helper::start(&python, port));
        let daemon = Daemon::start(port, state.path().join("log"), move || {
            let mut command = Command::new(&server);
            command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
            command
        });
        let s3 = Self { daemon, helper, _state: state };
        s3.ask(&json!({ "do": "create" }));
        Some(s3)
    }

    pub fn port(&self) -> u16 {
        self.daemon.port
    }

    /// The address to give as the endpoint; buckets are the first part of the path.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// The variables a client of it runs with.
    #[expect(clippy::unused_self, reason = "as the other hosts have it")]
    pub fn env(&self) -> Vec<(String, String)> {
        ENV.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// Every object of the bucket, by key.
    #[track_caller]
    pub fn objects(&self) -> BTreeMap<String, Object> {
        let answer = self.ask(&json!({ "do": "objects" }));
        answer["objects"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, object)| (key.clone(), Object::of(object)))
            .collect()
    }

    /// Puts an object into the bucket behind the deployment's back.
    #[track_caller]
    pub fn put(&self, key: &str, content: &[u8]) {
        let content: String = content.iter().copied().map(char::from).collect();
        self.ask(&json!({ "do": "put", "key": key, "content": content }));
    }

    /// Removes an object behind the deployment's back.
    #[track_caller]
    pub fn remove(&self, key: &str) {
        self.ask(&json!({ "do": "remove", "key": key }));
    }

    /// Ends the server, and with it every object.
    pub fn stop(&mut self) {
        self.daemon.stop();
    }

    /// Starts it again on the same port, as after a total loss: the bucket is there, and EMPTY.
    #[track_caller]
    pub fn restart(&mut self) {
        self.daemon.restart();
        self.ask(&json!({ "do": "create" }));
    }

    #[track_caller]
    fn ask(&self, question: &Value) -> Value {
        let answer = self.helper.lock().unwrap().ask(question);
        assert!(answer["error"].is_null(), "{}", answer["error"].as_str().unwrap());
        answer
    }
}

/// The process that asks, which ends with the value.
struct Helper {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl Helper {
    fn start(python: &Path, port: u16) -> Self {
        let mut command = Command::new(python);
        command
            .args(["-c", HELPER, &format!("http://127.0.0.1:{port}")])
            .envs(ENV)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (stdin, stdout) =
            (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    fn ask(&mut self, question: &Value) -> Value {
        let mut answer = String::new();
        writeln!(self.stdin, "{question}")
            .and_then(|()| self.stdout.read_line(&mut answer))
            .unwrap();
        serde_json::from_str(&answer).expect("boto3 comes with moto")
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Object {
    fn of(told: &Value) -> Self {
        let text = |name: &str| told[name].as_str().map(str::to_owned);
        let content =
            told["content"].as_str().unwrap().chars().map(|c| u8::try_from(c).unwrap()).collect();
        Self {
            content,
            content_type: text("type"),
            cache_control: text("cache"),
            content_encoding: text("encoding"),
        }
    }
}
