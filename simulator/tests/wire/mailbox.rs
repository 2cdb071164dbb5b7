//! The SMTP dialogue, spoken by hand.

use simulator::World;
use simulator::mailbox::{MailFault, MailRule};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::{PATIENCE, world};

struct Talk(BufReader<TcpStream>);

impl Talk {
    async fn with(world: &World) -> Self {
        Self(BufReader::new(TcpStream::connect(world.smtp_addr()).await.unwrap()))
    }

    async fn greeted(world: &World) -> Self {
        let mut talk = Self::with(world).await;
        assert!(talk.hear().await.starts_with("220 "));
        assert!(talk.say("EHLO client.example").await.contains("PIPELINING"));
        talk
    }

    /// One reply, all its lines; empty when the connection ended.
    async fn hear(&mut self) -> String {
        let mut reply = String::new();
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(PATIENCE, self.0.read_line(&mut line)).await.unwrap();
            reply.push_str(&line);
            if read.unwrap_or(0) == 0 || line.as_bytes().get(3) != Some(&b'-') {
                return reply;
            }
        }
    }

    async fn write(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).await.unwrap();
    }

    async fn say(&mut self, line: &str) -> String {
        self.write(&format!("{line}\r\n")).await;
        self.hear().await
    }

    async fn until_data(world: &World) -> Self {
        let mut talk = Self::greeted(world).await;
        assert!(
            talk.say("MAIL FROM:<bounce@bakery.example> SIZE=100 BODY=8BITMIME").await.starts_with("250")
        );
        assert!(talk.say("RCPT TO:<ada@example.com>").await.starts_with("250"));
        assert!(talk.say("DATA").await.starts_with("354"));
        talk
    }
}

const CONTENT: &str = "From: Bakery <pay@bakery.example>\r\nSubject: Your link\r\nMessage-ID: <att_1@x>\r\n\r\n\
    Pay here: http://pay.example/p/abc\r\n..two dots\r\n";

fn once(fault: MailFault) -> MailRule {
    MailRule { fault, to: Some("ada@".into()), times: Some(1) }
}

#[tokio::test]
async fn a_mail_is_taken_in_with_its_envelope_and_its_dots_undone() {
    let world = world().await;
    let mut talk = Talk::until_data(&world).await;
    assert!(talk.say(&format!("{CONTENT}.")).await.starts_with("250"));
    assert!(talk.say("QUIT").await.starts_with("221"));
    let email = world.mailbox().wait_for_emails("ADA@example.com", 1, PATIENCE).await.unwrap().remove(0);
    assert_eq!(
        (email.from.as_str(), email.subject.as_str(), email.number),
        ("bounce@bakery.example", "Your link", 1)
    );
    assert!(email.text.contains("\n.two dots") || email.text.contains("\r\n.two dots"));
    assert_eq!(
        (email.message_id.as_deref(), email.links()),
        (Some("att_1@x"), vec!["http://pay.example/p/abc".into()])
    );
}

#[tokio::test]
async fn pipelined_commands_are_answered_in_order() {
    let world = world().await;
    let mut talk = Talk::greeted(&world).await;
    talk.write(
        "MAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nRSET\r\nNOOP\r\nRCPT TO:<c@d.example>\r\n",
    )
    .await;
    let mut codes = Vec::new();
    for _ in 0..5 {
        codes.push(talk.hear().await[..3].to_owned());
    }
    assert_eq!(codes, ["250", "250", "250", "250", "503"]);
}

#[tokio::test]
async fn commands_out_of_order_or_malformed_are_refused() {
    let world = world().await;
    let mut talk = Talk::with(&world).await;
    talk.hear().await;
    assert!(talk.say("MAIL FROM:<a@b.example>").await.starts_with("503"));
    talk.say("EHLO x").await;
    assert!(talk.say("MAIL a@b.example").await.starts_with("501"));
    assert!(talk.say("RCPT TO:<a@b.example>").await.starts_with("503"));
    assert!(talk.say("DATA").await.starts_with("503"));
    assert!(talk.say("MAIL FROM:<a@b.example> SIZE=99999999").await.starts_with("552"));
    assert!(talk.say("MAIL FROM:<>").await.starts_with("250"));
    assert!(talk.say("RCPT TO:<nobody>").await.starts_with("501"));
    assert!(talk.say("TURN").await.starts_with("502"));
}

#[tokio::test]
async fn a_recipient_can_be_refused_for_good_or_for_now() {
    let world = world().await;
    world.mailbox().fault(once(MailFault::RejectRecipient { code: 550 }));
    world.mailbox().fault(once(MailFault::RejectRecipient { code: 451 }));
    let mut talk = Talk::greeted(&world).await;
    talk.say("MAIL FROM:<a@b.example>").await;
    assert!(talk.say("RCPT TO:<ada@example.com>").await.starts_with("550 5.1.1"));
    assert!(talk.say("RCPT TO:<ada@example.com>").await.starts_with("451 4.1.1"));
    assert!(talk.say("RCPT TO:<ada@example.com>").await.starts_with("250"));
}

#[tokio::test]
async fn a_connection_lost_after_the_dot_keeps_the_mail_and_before_it_does_not() {
    let world = world().await;
    world.mailbox().fault(once(MailFault::DropAfterDot));
    let mut talk = Talk::until_data(&world).await;
    assert_eq!(talk.say(&format!("{CONTENT}.")).await, "");
    assert_eq!(world.mailbox().emails().len(), 1);

    world.mailbox().fault(once(MailFault::DropBeforeDot));
    let mut talk = Talk::until_data(&world).await;
    assert_eq!(talk.say(CONTENT).await, "");
    assert_eq!(world.mailbox().emails().len(), 1);

    world.mailbox().fault(once(MailFault::RefuseContent { code: 554 }));
    let mut talk = Talk::until_data(&world).await;
    assert!(talk.say(&format!("{CONTENT}.")).await.starts_with("554"));
    assert_eq!(world.mailbox().emails().len(), 1);
}
