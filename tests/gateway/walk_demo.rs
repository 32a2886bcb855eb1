//! The demo: every operation of its document succeeds with its own example, as "Try it out" sends it.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempDir};
use tokio::runtime::Runtime;

use crate::harness::Client;
use crate::registry;

/// The demo has to invent its requests, sign its answers and have them delivered first.
const PATIENCE: Duration = Duration::from_secs(180);

/// A running demo; it ends with the value.
struct Demo {
    process: Child,
    log: NamedTempFile,
    _data: TempDir,
}

impl Demo {
    /// Starts it and waits for its greeting.
    fn start() -> (Self, Client) {
        // It has to know its address for the links that it gives, so it cannot be let choose a port itself.
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        // A folder of its own would stay behind, because the demo is killed.
        let (log, data) = (NamedTempFile::new().unwrap(), TempDir::new().unwrap());
        let mut command = Command::new(Path::new(env!("CARGO_BIN_EXE_debtgate")));
        command.args(["demo", "--listen", &address, "--data"]).arg(data.path()).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::from(log.reopen().unwrap()));
        let mut demo = Self { process: command.spawn().unwrap(), log, _data: data };
        let token = demo.greeting();
        (demo, Client::new(&format!("http://{address}"), &token))
    }

    /// The token of the greeting. All that it says is read, so that it never waits for a full pipe.
    fn greeting(&mut self) -> String {
        let (send, tokens) = channel();
        let said = BufReader::new(self.process.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if let Some(token) = line.trim().strip_prefix("TOKEN=") {
                    drop(send.send(token.to_owned()));
                }
            }
        });
        tokens.recv_timeout(PATIENCE).unwrap_or_else(|_| {
            panic!("it does not greet:\n{}", std::fs::read_to_string(self.log.path()).unwrap_or_default())
        })
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// An operation of the document with its example.
struct Example {
    id: String,
    method: Method,
    path: String,
    body: Option<Value>,
}

/// Every operation in the order of the document.
fn examples(document: &Value) -> Vec<Example> {
    let mut examples = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            examples.push(Example {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase().parse().unwrap(),
                path: address(path, operation),
                body: body(operation),
            });
        }
    }
    examples
}

/// The path with the examples of its parameters.
fn address(path: &str, operation: &Value) -> String {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let in_path = parameters.filter(|parameter| parameter["in"] == "path");
    in_path.fold(path.to_owned(), |path, parameter| {
        let (name, example) = (parameter["name"].as_str().unwrap(), parameter["example"].as_str());
        path.replace(
            &format!("{{{name}}}"),
            example.unwrap_or_else(|| panic!("{path}: {name} has no example")),
        )
    })
}

/// The example of the body, the first where there are several.
fn body(operation: &Value) -> Option<Value> {
    let content = operation.pointer("/requestBody/content/application~1json")?;
    let several = content["examples"].as_object().and_then(|examples| examples.values().next());
    let example = content.get("example").or(several.and_then(|example| example.get("value")));
    Some(example.unwrap_or_else(|| panic!("{}: no example", operation["operationId"])).clone())
}

/// A debt request that the simulator invents on demand comes with the next reading.
async fn what_is_invented_comes(client: &Client) {
    let body = json!({ "count": 1, "ending": "02" });
    let made = client.post("/v1/sandbox/debt-requests", &body).await.ok(201);
    let [invented] = made["items"].as_array().unwrap().as_slice() else { panic!("{made:#}") };
    assert!(invented["request_number"].as_str().unwrap().ends_with("02"), "{invented:#}");
    let path = format!("/v1/debt-requests/{}", invented["id"].as_str().unwrap());
    let comes = async {
        while !client.get(&path).await.status.is_success() {
            // Too early, or under way already: the next one will do.
            drop(client.post("/v1/sync-runs", &json!({})).await);
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    };
    tokio::time::timeout(PATIENCE, comes).await.unwrap_or_else(|_| panic!("{path} does not come"));
}

#[test]
fn every_example_succeeds_in_the_demo() {
    let (_demo, client) = Demo::start();
    Runtime::new().unwrap().block_on(async {
        let document = client.get("/openapi.json").await.ok(200);
        let examples = examples(&document);
        assert!(examples.len() >= 34, "only {}", examples.len());
        let mut failures = Vec::new();
        for Example { id, method, path, body } in examples {
            assert!(!path.contains('{'), "{id}: {path}");
            let call = client.call(method.clone(), &path);
            let reply = match &body {
                Some(body) => call.json(body).send().await,
                // A form has no example: a person chooses a file.
                None if id == "upload_registry" => registry::upload(&client, &[]).await,
                None => call.send().await,
            };
            if reply.status.as_u16() >= 400 {
                failures.push(format!("{id}: {method} {path}: {} {:#}", reply.status, reply.body));
            }
        }
        assert!(failures.is_empty(), "{}", failures.join("\n"));
        what_is_invented_comes(&client).await;
    });
}
