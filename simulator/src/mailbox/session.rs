//! One SMTP conversation.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::{MailFault, Mailbox};

const LINE_MAX: u64 = 4_096;
const MESSAGE_MAX: usize = 10 * 1024 * 1024;
const SILENCE_MAX: Duration = Duration::from_secs(300);

/// The envelope so far.
#[derive(Debug, Default)]
struct Envelope {
    greeted: bool,
    from: Option<String>,
    to: Vec<String>,
}

/// Whether the conversation goes on.
enum Next {
    Say(&'static str),
    SayText(String),
    TakeData,
    Close(&'static str),
    Hang,
}

pub(crate) async fn converse(mailbox: Mailbox, stream: TcpStream) {
    // A peer that goes away mid-sentence is everyday life, not an error of ours.
    let _ = tokio::time::timeout(SILENCE_MAX, dialogue(&mailbox, stream)).await;
}

async fn dialogue(mailbox: &Mailbox, stream: TcpStream) -> std::io::Result<()> {
    if mailbox.strike(MailFault::is_at_greeting, "").is_some() {
        return Ok(());
    }
    let mut stream = BufReader::new(stream);
    say(&mut stream, "220 mailbox.simulator.invalid ESMTP").await?;
    let mut envelope = Envelope::default();
    loop {
        let Some(line) = read_line(&mut stream).await? else {
            return Ok(());
        };
        match command(mailbox, &mut envelope, &line) {
            Next::Say(reply) => say(&mut stream, reply).await?,
            Next::SayText(reply) => say(&mut stream, &reply).await?,
            Next::Close(reply) => return say(&mut stream, reply).await,
            Next::Hang => return hang(&mut stream).await,
            Next::TakeData => {
                say(&mut stream, "354 End data with <CR><LF>.<CR><LF>").await?;
                if !take_data(mailbox, &mut stream, &mut envelope).await? {
                    return Ok(());
                }
            }
        }
    }
}

async fn say(stream: &mut BufReader<TcpStream>, reply: &str) -> std::io::Result<()> {
    stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await
}

/// Stays silent until the peer goes.
async fn hang(stream: &mut BufReader<TcpStream>) -> std::io::Result<()> {
    let mut ignored = [0; 512];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}

async fn read_line(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<String>> {
    let mut line = Vec::new();
    let read = (&mut *stream).take(LINE_MAX).read_until(b'\n', &mut line).await?;
    if read == 0 || !line.ends_with(b"\n") {
        return Ok(None);
    }
    Ok(Some(String::from_utf8_lossy(&line).trim_end().to_owned()))
}

fn command(mailbox: &Mailbox, envelope: &mut Envelope, line: &str) -> Next {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => {
            *envelope = Envelope { greeted: true, ..Envelope::default() };
            Next::SayText(format!(
                "250-mailbox.simulator.invalid\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n\
                 250-ENHANCEDSTATUSCODES\r\n250 SIZE {MESSAGE_MAX}"
            ))
        }
        "HELO" => {
            *envelope = Envelope { greeted: true, ..Envelope::default() };
            Next::Say("250 mailbox.simulator.invalid")
        }
        "MAIL" => mail_from(envelope, rest),
        "RCPT" => rcpt_to(mailbox, envelope, rest),
        "DATA" if envelope.to.is_empty() => Next::Say("503 5.5.1 RCPT first"),
        "DATA" => Next::TakeData,
        "RSET" => {
            *envelope = Envelope { greeted: envelope.greeted, ..Envelope::default() };
            Next::Say("250 2.0.0 Ok")
        }
        "NOOP" => Next::Say("250 2.0.0 Ok"),
        "VRFY" => Next::Say("252 2.5.2 Send some mail, I will try my best"),
        "QUIT" => Next::Close("221 2.0.0 Bye"),
        _ => Next::Say("502 5.5.2 Command not recognised"),
    }
}

fn mail_from(envelope: &mut Envelope, rest: &str) -> Next {
    if !envelope.greeted {
        return Next::Say("503 5.5.1 EHLO first");
    }
    if envelope.from.is_some() {
        return Next::Say("503 5.5.1 Sender already given");
    }
    let Some((address, parameters)) = path(rest, "FROM:") else {
        return Next::Say("501 5.1.7 Bad sender");
    };
    let size = parameters.split(' ').find_map(|parameter| parameter.strip_prefix("SIZE="));
    if size.and_then(|size| size.parse::<usize>().ok()).is_some_and(|size| size > MESSAGE_MAX) {
        return Next::Say("552 5.3.4 Message too big");
    }
    envelope.from = Some(address);
    Next::Say("250 2.1.0 Ok")
}

fn rcpt_to(mailbox: &Mailbox, envelope: &mut Envelope, rest: &str) -> Next {
    if envelope.from.is_none() {
        return Next::Say("503 5.5.1 MAIL first");
    }
    let recipient = path(rest, "TO:").filter(|(address, _)| address.contains('@'));
    let Some((address, _)) = recipient else {
        return Next::Say("501 5.1.3 Bad recipient");
    };
    match mailbox.strike(MailFault::is_at_recipient, &address) {
        Some(MailFault::RejectRecipient { code }) => {
            let class = if (400..500).contains(&code) { 4 } else { 5 };
            Next::SayText(format!("{code} {class}.1.1 <{address}>: recipient refused"))
        }
        Some(_) => Next::Hang,
        None => {
            envelope.to.push(address);
            Next::Say("250 2.1.5 Ok")
        }
    }
}

/// `FROM:<a@b> SIZE=1` into the address and its parameters.
fn path<'l>(rest: &'l str, keyword: &str) -> Option<(String, &'l str)> {
    let head = rest.get(..keyword.len()).filter(|head| head.eq_ignore_ascii_case(keyword))?;
    let bracketed = rest.get(head.len()..)?.trim_start().strip_prefix('<')?;
    let (address, parameters) = bracketed.split_once('>')?;
    Some((address.to_owned(), parameters.trim()))
}

/// Takes the content and answers, unless a fault says otherwise. False ends the conversation.
async fn take_data(
    mailbox: &Mailbox,
    stream: &mut BufReader<TcpStream>,
    envelope: &mut Envelope,
) -> std::io::Result<bool> {
    let to = envelope.to.join(",");
    let fault = mailbox.strike(MailFault::is_at_data, &to);
    if fault == Some(MailFault::DropBeforeDot) {
        read_line(stream).await?;
        return Ok(false);
    }
    let Some(content) = read_content(stream).await? else {
        return Ok(false);
    };
    let taken = std::mem::replace(envelope, Envelope { greeted: true, ..Envelope::default() });
    if content.len() > MESSAGE_MAX {
        say(stream, "552 5.3.4 Message too big").await?;
        return Ok(true);
    }
    if let Some(MailFault::RefuseContent { code }) = fault {
        let class = if (400..500).contains(&code) { 4 } else { 5 };
        say(stream, &format!("{code} {class}.7.1 Refused after the data")).await?;
        return Ok(true);
    }
    let number = mailbox.take_in(taken.from.unwrap_or_default(), taken.to, &content);
    match fault {
        Some(MailFault::DropAfterDot) => Ok(false),
        Some(MailFault::SilentAfterDot) => hang(stream).await.map(|()| false),
        Some(_) | None => say(stream, &format!("250 2.0.0 Ok: queued as {number}")).await.map(|()| true),
    }
}

/// Everything up to the lone dot, with doubled dots undone. `None` when the peer went away before.
async fn read_content(stream: &mut BufReader<TcpStream>) -> std::io::Result<Option<Vec<u8>>> {
    let mut content = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line).await? == 0 || !line.ends_with(b"\n") {
            return Ok(None);
        }
        if line == b".\r\n" || line == b".\n" {
            return Ok(Some(content));
        }
        let text = line.strip_prefix(b".").unwrap_or(&line);
        // Beyond the limit the rest is read, so that the peer can hear the answer, but not kept.
        if content.len() <= MESSAGE_MAX {
            content.extend_from_slice(text);
        }
    }
}
