//! Somebody between a node and its readers, who changes what the node answers.

use reqwest::header::ACCEPT;
use std::sync::Arc;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Says what to answer instead of a body, given path and query.
pub type Tamper = Arc<dyn Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync>;

/// A proxy for reads. It ends when this is dropped.
#[derive(Debug)]
pub struct Proxy {
    address: String,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Stands before the node at `base`, such as `http://127.0.0.1:7400`.
    pub async fn before(base: String, tamper: impl Fn(&str, Vec<u8>) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let tamper: Tamper = Arc::new(tamper);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (base, tamper) = (base.clone(), tamper.clone());
                // A client that goes away ends only its own connection.
                tokio::spawn(async move { drop(answer(client, &base, &tamper).await) });
            }
        });
        Self { address, task }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one request and closes the connection.
async fn answer(client: TcpStream, base: &str, tamper: &Tamper) -> std::io::Result<()> {
    let mut client = BufReader::new(client);
    let (mut path, mut accept) = (String::new(), "*/*".to_owned());
    loop {
        let mut line = String::new();
        if client.read_line(&mut line).await? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some(rest) = line.strip_prefix("GET ") {
            rest.split(' ').next().unwrap_or_default().clone_into(&mut path);
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("accept")
        {
            value.trim().clone_into(&mut accept);
        }
    }
    let http = reqwest::Client::builder().no_proxy().build().expect("a client needs nothing");
    let asked = http.get(format!("{base}{path}")).header(ACCEPT, accept).send().await;
    let asked = asked.map_err(std::io::Error::other)?;
    let status = asked.status().as_u16();
    let body = asked.bytes().await.map_err(std::io::Error::other)?.to_vec();
    let body = tamper(&path, body);
    let head = format!("HTTP/1.1 {status} Told\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    client.write_all(head.as_bytes()).await?;
    client.write_all(&body).await?;
    client.shutdown().await
}
