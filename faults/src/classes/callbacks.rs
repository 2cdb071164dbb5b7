//! The carrier's reports about its texts: before the answer, late, several times, in reverse, replayed, and forged.

use std::sync::Arc;

use anyhow::Result;
use futures::StreamExt;
use simulator::CarrierConfig;
use simulator::carrier::{Journey, SignedPost};

use crate::machine::Machine;
use crate::site::{Plan, Site};
use crate::store::{Kind, Store};
use crate::tally::Tally;

const AT_ONCE: usize = 24;

type Form = Vec<(String, String)>;

/// A post that somebody makes, and whether it may be believed.
struct Post {
    url: String,
    form: Form,
    signature: Option<String>,
    authentic: bool,
}

pub(crate) async fn run(machine: Arc<Machine>, kind: Kind) -> Result<Tally> {
    let quarter = machine.many(10, 160);
    let wishes = quarter * 4;
    let plan = Plan { store: Some(Store::fresh(&machine, kind).await?), ..Plan::default() };
    let site = Site::open(&machine, "callbacks", plan, wishes).await?;
    let carrier = site.world.carrier();
    let mut tally = Tally::default();
    let early = Journey { callback_first: true, callback_copies: 2, ..Journey::default() };
    let repeated = Journey { callback_copies: 4, ..Journey::default() };
    let reversed = Journey { callbacks_reversed: true, callback_copies: 2, ..Journey::default() };
    for (place, (name, journey)) in
        [("early", early), ("repeated", repeated), ("reversed", reversed)].into_iter().enumerate()
    {
        let before = carrier.callbacks().len();
        carrier.script(journey);
        site.insist_on(place * quarter..(place + 1) * quarter, 16).await;
        site.said_or_still((place + 1) * quarter).await;
        told(&site).await;
        carrier.clear_script();
        tally.fault(name, carrier.callbacks().len() - before);
    }
    // So late that the product has looked the text up by itself, were it unknown.
    let before = carrier.callbacks().len();
    carrier.hold_callbacks(true);
    carrier.script(Journey { callback_copies: 2, ..Journey::default() });
    site.insist_on(3 * quarter..wishes, 16).await;
    site.said_or_still(wishes).await;
    site.pass_time(200_000).await?;
    carrier.hold_callbacks(false);
    told(&site).await;
    tally.fault("late", carrier.callbacks().len() - before);
    let replays: Vec<Post> = carrier.posts().all().into_iter().map(again).collect();
    let forged: Vec<Post> = carrier.posts().all().iter().step_by(2).flat_map(forgeries).collect();
    tally.fault("replayed", replays.len());
    tally.fault("forged", forged.len());
    deliver(&site, replays.into_iter().chain(forged), &mut tally).await;
    site.settle(wishes).await?;
    let verdict = site.judge(wishes).await?;
    tally.expect(verdict.surfaced == 0, || {
        format!("{} items of attention about sound texts", verdict.surfaced)
    });
    tally.judged(&verdict);
    site.stop().await?;
    Ok(tally)
}

/// Waits until the carrier has told the fate of every text.
async fn told(site: &Site) {
    let carrier = site.world.carrier();
    let patience = std::time::Duration::from_secs(60);
    let texts = carrier.accepted();
    let all_told = |callbacks: &[simulator::carrier::Callback]| {
        let fates: std::collections::HashSet<&str> = callbacks
            .iter()
            .filter(|one| one.status.as_str() == "delivered")
            .map(|one| one.sid.as_str())
            .collect();
        texts.iter().all(|text| fates.contains(text.sid.as_str())).then_some(())
    };
    // What is not told is missing in the counts.
    let _ = carrier.callbacks().wait_until(patience, all_told).await;
}

fn again(post: SignedPost) -> Post {
    Post { url: post.url, form: post.params, signature: Some(post.signature), authentic: true }
}

/// What somebody without the carrier's token could try: to make a delivered text look failed.
fn forgeries(post: &SignedPost) -> Vec<Post> {
    let token = CarrierConfig::default().auth_token;
    let mut failed = post.params.clone();
    for (_, value) in failed.iter_mut().filter(|(name, _)| name == "MessageStatus" || name == "SmsStatus") {
        "undelivered".clone_into(value);
    }
    failed.push(("ErrorCode".to_owned(), "30006".to_owned()));
    let sign = |token: &str, url: &str| Some(simulator::signatures::twilio(token, url, &failed));
    let elsewhere = format!("{}x", post.url);
    [None, Some(post.signature.clone()), sign("guessed", &post.url), sign(&token, &elsewhere)]
        .into_iter()
        .map(|signature| Post { url: post.url.clone(), form: failed.clone(), signature, authentic: false })
        .collect()
}

async fn deliver(site: &Site, posts: impl Iterator<Item = Post>, tally: &mut Tally) {
    let sent = futures::stream::iter(posts).map(|post| async move {
        let mut request = site.http.post(&post.url);
        if let Some(signature) = &post.signature {
            request = request.header("x-twilio-signature", signature);
        }
        let body = post.form.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
        let request = request
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.collect::<Vec<_>>().join("&"));
        let status = request.send().await.map_or(0, |answer| answer.status().as_u16());
        (post.authentic, status)
    });
    let answers: Vec<(bool, u16)> = sent.buffer_unordered(AT_ONCE).collect().await;
    let wrong = |authentic: bool, right: fn(u16) -> bool| {
        answers.iter().filter(|(is, status)| *is == authentic && !right(*status)).count()
    };
    let refused = wrong(true, |status| (200..300).contains(&status));
    tally.expect(refused == 0, || format!("{refused} authentic reports were refused"));
    let believed = wrong(false, |status| status == 403);
    tally.expect(believed == 0, || format!("{believed} forged reports were not refused"));
}

fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() {
            escaped.push(char::from(byte))
        } else {
            escaped.push_str(&format!("%{byte:02X}"))
        }
        escaped
    })
}
