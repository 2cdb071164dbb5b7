//! `postcall merchant …`.

use anyhow::{Context, bail};
use clap::{Args, Subcommand};
use domain::fee::FeePolicy;
use domain::id::MerchantId;
use domain::time::{HOUR_MS, Timestamp};
use entities::merchant::{self, Caps};
use postcall::config::Store;
use postcall::product::Foundation;

use super::foundation;

#[derive(Subcommand)]
pub(crate) enum MerchantCommand {
    /// Adds a merchant and prints its id.
    Add(Box<NewMerchant>),
    /// Prints a merchant's caps and the standing of its secrets as JSON.
    Show {
        #[command(flatten)]
        store: Store,
        merchant_id: MerchantId,
    },
    /// Sets a merchant's caps; what is not named stays. Counts from the next text on.
    Set {
        #[command(flatten)]
        store: Store,
        merchant_id: MerchantId,
        #[command(flatten)]
        caps: NewCaps,
    },
    /// Prints the secret that signs this merchant's post-call events, or the one that signs our commands to its dialer.
    Secret {
        #[command(flatten)]
        store: Store,
        merchant_id: MerchantId,
        #[arg(value_parser = ["events", "dialer"])]
        purpose: String,
    },
    /// Replaces both secrets of a merchant. The former ones are good beside the new ones for a while; `merchant secret`
    /// prints the new ones.
    RotateSecret {
        #[command(flatten)]
        store: Store,
        merchant_id: MerchantId,
        /// How long the former secrets stay good. 0 after a leak.
        #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(0..=8_760))]
        overlap_hours: u32,
    },
}

#[derive(Args)]
#[group(required = true, multiple = true)]
pub(crate) struct NewCaps {
    /// Texts in 24 hours, all numbers together. What is beyond goes by email.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
    texts_per_day_max: Option<i64>,
    /// Texts in 24 hours to one number. What is beyond goes by email.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..))]
    texts_per_number_per_day_max: Option<i64>,
    /// Texts a minute from this merchant's number; what comes faster waits. 0 for no limit.
    #[arg(long, value_parser = clap::value_parser!(i64).range(0..=i64::from(u32::MAX)))]
    sender_texts_per_minute_max: Option<i64>,
}

#[derive(Args)]
pub(crate) struct NewMerchant {
    #[command(flatten)]
    store: Store,
    /// The business name customers know.
    #[arg(long)]
    name: String,
    /// `en` or `es`, for customers whose language is not known.
    #[arg(long, default_value = "en")]
    locale: String,
    #[arg(long, default_value = "America/New_York")]
    time_zone: String,
    #[arg(long, default_value = "US")]
    country: String,
    #[arg(long)]
    support_email: Option<String>,
    #[arg(long)]
    support_phone: Option<String>,
    /// The colour of the pay page's button, `#1a6b54`.
    #[arg(long)]
    accent: Option<String>,
    /// The connected account, `acct_…`.
    #[arg(long)]
    stripe_account: Option<String>,
    /// The number texts come from.
    #[arg(long)]
    sms_sender: Option<String>,
    /// The address emails come from.
    #[arg(long)]
    email_sender: Option<String>,
    /// Where the dialer takes pause and resume commands.
    #[arg(long)]
    dialer_url: Option<String>,
    /// The fee in hundredths of a percent.
    #[arg(long, default_value_t = FeePolicy::default().basis_points)]
    fee_basis_points: u32,
}

pub(crate) async fn merchant(command: MerchantCommand) -> anyhow::Result<()> {
    match command {
        MerchantCommand::Add(new) => add_merchant(*new).await,
        MerchantCommand::Show { store, merchant_id } => show(&foundation(&store).await?, &merchant_id).await,
        MerchantCommand::Set { store, merchant_id, caps } => {
            let foundation = foundation(&store).await?;
            let caps = Caps {
                texts_per_day_max: caps.texts_per_day_max,
                texts_per_number_per_day_max: caps.texts_per_number_per_day_max,
                sender_texts_per_minute_max: caps.sender_texts_per_minute_max,
            };
            let tx = foundation.db.begin().await?;
            let changed = merchant::set_caps(&tx, &merchant_id, &caps).await?;
            tx.commit().await?;
            if !changed {
                bail!("there is no such merchant");
            }
            show(&foundation, &merchant_id).await
        }
        MerchantCommand::Secret { store, merchant_id, purpose } => {
            let foundation = foundation(&store).await?;
            let merchant = find(&foundation, &merchant_id).await?;
            let generation = u32::try_from(merchant.secret_generation)?;
            println!("{}", foundation.keyring.derived_secret(&purpose, merchant_id.as_str(), generation));
            Ok(())
        }
        MerchantCommand::RotateSecret { store, merchant_id, overlap_hours } => {
            let foundation = foundation(&store).await?;
            let until = foundation.ledger.clock().now().plus_ms(i64::from(overlap_hours) * HOUR_MS);
            let tx = foundation.db.begin().await?;
            let changed = merchant::rotate_secrets(&tx, &merchant_id, until).await?;
            tx.commit().await?;
            if !changed {
                bail!("there is no such merchant");
            }
            show(&foundation, &merchant_id).await
        }
    }
}

async fn find(foundation: &Foundation, id: &MerchantId) -> anyhow::Result<merchant::Model> {
    merchant::find(&foundation.db.read, id).await?.context("there is no such merchant")
}

async fn show(foundation: &Foundation, id: &MerchantId) -> anyhow::Result<()> {
    let merchant = find(foundation, id).await?;
    let shown = serde_json::json!({
        "id": merchant.id.as_str(), "name": merchant.name, "sms_sender": merchant.sms_sender,
        "texts_per_day_max": merchant.texts_per_day_max,
        "texts_per_number_per_day_max": merchant.texts_per_number_per_day_max,
        "sender_texts_per_minute_max": merchant.sender_texts_per_minute_max,
        "secret_generation": merchant.secret_generation,
        "former_secret_until": merchant.former_secret_until_ms.map(Timestamp::from_millis),
    });
    println!("{shown}");
    Ok(())
}

async fn add_merchant(new: NewMerchant) -> anyhow::Result<()> {
    if domain::quiet_hours::zone(&new.time_zone).is_none() {
        bail!("{:?} is not a time zone, for example America/New_York", new.time_zone);
    }
    let fee = FeePolicy { basis_points: new.fee_basis_points, ..FeePolicy::default() }.check()?;
    let foundation = foundation(&new.store).await?;
    let now = foundation.ledger.clock().now();
    let mut model = postcall::product::new_merchant(entities::fresh::id(now), &new.name, now);
    model.locale = new.locale;
    model.time_zone = new.time_zone;
    model.country = new.country;
    model.support_email = new.support_email;
    model.support_phone = new.support_phone;
    model.accent_hex = new.accent;
    model.stripe_account = new.stripe_account;
    model.sms_sender = new.sms_sender;
    model.email_sender = new.email_sender;
    model.dialer_url = new.dialer_url;
    model.fee_basis_points = i64::from(fee.basis_points);
    let id = model.id.0.clone();
    let tx = foundation.db.begin().await?;
    merchant::insert(&tx, model).await?;
    tx.commit().await?;
    println!("{id}");
    Ok(())
}
