//! The carriers' per-sender rates. A number may text only so often, and a carrier that says "slow down" means all of
//! its texts: whoever comes too soon waits in the ledger, with its turn, and holds nothing meanwhile.

use std::time::Duration;

use domain::channel::Channel;
use domain::pace::Pace;
use domain::send::SendOutcome;
use entities::merchant;
use queue::{BucketName, Buckets};

use super::call::Answer;
use super::errand::Errand;
use super::facts::About;

/// Longer than this one number is not silenced by one answer: the text that got it waits for all it was asked to, the
/// others find out whether it still holds.
const REST_MAX: Duration = Duration::from_secs(5);

/// What every sender may do unless its merchant's row says otherwise, and what was done.
#[derive(Debug, Clone, Default)]
pub struct SenderPace {
    pub buckets: Buckets,
    /// Texts a minute of one sender; zero for no limit.
    pub texts_per_minute_max: u32,
}

impl SenderPace {
    fn of(&self, merchant: &merchant::Model) -> Pace {
        let own = merchant.sender_texts_per_minute_max.and_then(|own| u32::try_from(own).ok());
        Pace::steady_per_minute(own.unwrap_or(self.texts_per_minute_max)).unwrap_or(Pace::UNLIMITED)
    }

    /// Takes this message's turn, or says when to come back.
    pub(super) fn turn(&self, about: &About<'_>) -> Result<(), Duration> {
        match about.message.channel.0 {
            Channel::Email => Ok(()),
            Channel::Sms => self.buckets.take_in_turn(bucket(&about.message.sender), self.of(about.merchant)),
        }
    }

    /// Lets a sender rest for as long as the carrier asks.
    pub(super) fn heed(&self, answers: &[(Errand, Answer)]) {
        let texts = answers.iter().filter(|(errand, _)| errand.message.channel.0 == Channel::Sms);
        for (errand, answer) in texts {
            if let Some(pause) = asked_to_pause(answer) {
                self.buckets.hold(bucket(&errand.message.sender), pause.min(REST_MAX));
            }
        }
    }
}

fn bucket(sender: &str) -> BucketName {
    BucketName { kind: "sender", of: sender.to_owned() }
}

fn asked_to_pause(answer: &Answer) -> Option<Duration> {
    match answer {
        Answer::Sent(SendOutcome::NotSent { retry_after_ms, .. }) => {
            let pause_ms = u64::try_from((*retry_after_ms)?).ok().filter(|pause_ms| *pause_ms > 0)?;
            Some(Duration::from_millis(pause_ms))
        }
        Answer::Sent(
            SendOutcome::Accepted { .. } | SendOutcome::Rejected { .. } | SendOutcome::Unknown { .. },
        )
        | Answer::Looked(_) => None,
    }
}
