//! Providers that answer every request with an error full of what they were told: headers, numbers, links, passwords.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// Stands in every answer, so that what came from a provider can be told from what we made ourselves.
pub(crate) const MARK: &str = "echo-canary-5521";

/// How many different answers there are.
pub(crate) const MOODS: usize = 6;

/// A carrier, Stripe and dialer in one; says where it listens.
pub(crate) async fn http() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
        let mood = asked.fetch_add(1, Ordering::Relaxed) % MOODS;
        let body = String::from_utf8_lossy(&body).into_owned();
        async move { echoed(mood, &format!("{MARK} {method} {uri} {headers:?} {body}")) }
    };
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(answer)).await });
    address
}

fn echoed(mood: usize, told: &str) -> Response {
    let json = json!({
        "code": 21_211, "status": 400, "message": told, "more_info": told, "acknowledged": told,
        "error": {"type": "invalid_request_error", "code": told, "message": told, "param": told},
    });
    let json = json.to_string();
    let typed = |status: StatusCode| (status, [(header::CONTENT_TYPE, "application/json")], json.clone());
    let plain: String = told.chars().filter(|sign| sign.is_ascii_graphic()).collect();
    match mood {
        0 => typed(StatusCode::BAD_REQUEST).into_response(),
        1 => (StatusCode::INTERNAL_SERVER_ERROR, told.to_owned()).into_response(),
        2 => {
            (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], json[..json.len() / 2].to_owned())
                .into_response()
        }
        3 => (StatusCode::FOUND, [(header::LOCATION, format!("/{plain}"))]).into_response(),
        4 => typed(StatusCode::UNAUTHORIZED).into_response(),
        _ => (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, plain)], told.to_owned()).into_response(),
    }
}

/// A mail relay that lets everybody log in and takes nobody's mail.
pub(crate) async fn smtp() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut lines: usize = 0;
        while let Ok((stream, _)) = listener.accept().await {
            lines += 1;
            // A caller that hangs up has heard enough.
            tokio::spawn(async move { converse(stream, lines).await.ok() });
        }
    });
    address
}

async fn converse(stream: TcpStream, ordinal: usize) -> std::io::Result<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut told = String::from(MARK);
    writer.write_all(b"220 echo\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        told.push(' ');
        told.push_str(&line);
        let word = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        let answer = match word.as_str() {
            "EHLO" => "250-echo\r\n250 AUTH PLAIN LOGIN\r\n".to_owned(),
            "AUTH" => "235 welcome\r\n".to_owned(),
            "RCPT" if ordinal.is_multiple_of(3) => format!("550 5.1.1 {told}\r\n"),
            "RCPT" if ordinal.is_multiple_of(2) => format!("451 4.3.0 {told}\r\n"),
            "DATA" => "354 go on\r\n".to_owned(),
            "." => format!("554 5.6.0 {}\r\n", told.chars().take(900).collect::<String>()),
            "QUIT" => "221 bye\r\n".to_owned(),
            "MAIL" | "RCPT" | "RSET" | "NOOP" => "250 fine\r\n".to_owned(),
            _ => continue,
        };
        writer.write_all(answer.as_bytes()).await?;
    }
    Ok(())
}
