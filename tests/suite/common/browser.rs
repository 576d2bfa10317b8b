//! A real browser: Chromium, driven by chromedriver.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder};
use serde_json::{Value, json};

/// A chromedriver with one browser; both end with the value.
pub struct Browser {
    driver: Child,
    runtime: tokio::runtime::Runtime,
    client: Option<Client>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts a browser; where there is none the test says so, and ends.
    pub fn start() -> Option<Self> {
        if Command::new("chromedriver").arg("--version").output().is_err() {
            super::skip_without("chromedriver");
            return None;
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let profile = tempfile::tempdir().unwrap();
        let mut args: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--autoplay-policy=no-user-gesture-required",
            "--window-size=1280,900",
        ]
        .map(str::to_owned)
        .into();
        args.push(format!("--user-data-dir={}", profile.path().display()));
        let mut capabilities = serde_json::Map::new();
        capabilities.insert("goog:chromeOptions".into(), json!({ "args": args }));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let start = Instant::now();
        let client = loop {
            let mut builder =
                ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new());
            let connected = runtime.block_on(
                builder
                    .capabilities(capabilities.clone())
                    .connect(&format!("http://127.0.0.1:{port}")),
            );
            match connected {
                Ok(client) => break client,
                Err(e) => assert!(
                    start.elapsed() < Duration::from_secs(60),
                    "the browser does not start: {e}"
                ),
            }
            std::thread::sleep(Duration::from_millis(100));
        };
        Some(Self { driver, runtime, client: Some(client), _profile: profile })
    }

    fn client(&self) -> &Client {
        self.client.as_ref().expect("the browser runs")
    }

    pub fn open(&self, url: &str) {
        self.runtime.block_on(self.client().goto(url)).unwrap();
    }

    pub fn url(&self) -> String {
        self.runtime.block_on(self.client().current_url()).unwrap().to_string()
    }

    pub fn resize(&self, width: u32, height: u32) {
        self.runtime.block_on(self.client().set_window_size(width, height)).unwrap();
    }

    /// Runs a script's body and returns what it returns.
    #[track_caller]
    pub fn run(&self, script: &str) -> Value {
        self.runtime
            .block_on(self.client().execute(script, Vec::new()))
            .unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Waits until an expression is true. A page may be on its way out meanwhile.
    #[track_caller]
    pub fn until(&self, expression: &str) {
        let start = Instant::now();
        loop {
            let value = self
                .runtime
                .block_on(self.client().execute(&format!("return !!({expression})"), Vec::new()));
            if matches!(value, Ok(Value::Bool(true))) {
                return;
            }
            if start.elapsed() > Duration::from_secs(20) {
                let page = self.runtime.block_on(self.client().source()).unwrap_or_default();
                panic!("it never came to be that {expression}; last {value:?}\n{page}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// The page as a picture.
    pub fn picture(&self) -> Vec<u8> {
        self.runtime.block_on(self.client().screenshot()).unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = self.runtime.block_on(async {
                tokio::time::timeout(Duration::from_secs(5), client.close()).await
            });
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
