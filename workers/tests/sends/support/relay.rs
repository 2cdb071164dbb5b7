//! A mail relay in a few lines, over real SMTP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

#[derive(Clone, Debug)]
pub(crate) struct Letter {
    pub(crate) to: String,
    pub(crate) raw: String,
}

#[derive(Clone, Default)]
pub(crate) struct Relay {
    letters: Arc<Mutex<Vec<Letter>>>,
    /// Takes a letter and hangs up without a word.
    pub(crate) hangs_up: Arc<AtomicBool>,
}

impl Relay {
    pub(crate) async fn start(&self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let relay = self.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(relay.clone().talk(stream));
            }
        });
        format!("smtp://{address}")
    }

    pub(crate) fn letters(&self) -> Vec<Letter> {
        self.letters.lock().unwrap().clone()
    }

    async fn talk(self, stream: TcpStream) -> std::io::Result<()> {
        let (reader, mut writer) = stream.into_split();
        let mut lines = BufReader::new(reader).lines();
        writer.write_all(b"220 relay.test\r\n").await?;
        let mut to = String::new();
        while let Some(line) = lines.next_line().await? {
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "RCPT" => {
                    to = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                    writer.write_all(b"250 ok\r\n").await?;
                }
                "DATA" => {
                    writer.write_all(b"354 go on\r\n").await?;
                    let mut raw = String::new();
                    while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                        raw.push_str(&line);
                        raw.push('\n');
                    }
                    self.letters.lock().unwrap().push(Letter { to: to.clone(), raw });
                    if self.hangs_up.load(Ordering::SeqCst) {
                        return Ok(());
                    }
                    writer.write_all(b"250 taken\r\n").await?;
                }
                "QUIT" => return writer.write_all(b"221 bye\r\n").await,
                _ => writer.write_all(b"250 ok\r\n").await?,
            }
        }
        Ok(())
    }
}
