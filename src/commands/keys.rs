//! `postcall key …`.

use anyhow::{Context, bail};
use clap::Subcommand;
use domain::id::{ApiKeyId, MerchantId};
use domain::scope::Scopes;
use domain::time::{HOUR_MS, Timestamp};
use entities::{api_key, merchant};
use postcall::config::Store;
use secrecy::ExposeSecret;

use super::foundation;

#[derive(Subcommand)]
pub(crate) enum KeyCommand {
    /// Makes an API key and prints it: this is the only time it is shown.
    Add {
        #[command(flatten)]
        store: Store,
        merchant_id: MerchantId,
        #[arg(long, default_value = "default")]
        name: String,
        /// Scopes separated by spaces; all of them by default.
        #[arg(long)]
        scopes: Option<Scopes>,
    },
    /// Lists a merchant's keys, one JSON object a line. The keys themselves are not kept.
    List {
        #[command(flatten)]
        store: Store,
        merchant_id: MerchantId,
    },
    /// Makes a key of the same name and scopes, prints it, and lets the former one end after a while.
    Rotate {
        #[command(flatten)]
        store: Store,
        key_id: ApiKeyId,
        /// How long the former key stays good. 0 ends it at once.
        #[arg(long, default_value_t = 72, value_parser = clap::value_parser!(u32).range(0..=8_760))]
        overlap_hours: u32,
    },
    /// Ends a key at once.
    Revoke {
        #[command(flatten)]
        store: Store,
        key_id: ApiKeyId,
    },
}

pub(crate) async fn key(command: KeyCommand) -> anyhow::Result<()> {
    match command {
        KeyCommand::Add { store, merchant_id, name, scopes } => {
            let foundation = foundation(&store).await?;
            merchant::find(&foundation.db.read, &merchant_id).await?.context("there is no such merchant")?;
            let scopes = scopes.unwrap_or_else(Scopes::all);
            let now = foundation.ledger.clock().now();
            let (key, shown) = api::mint_key(now, &merchant_id, &name, &scopes);
            let tx = foundation.db.begin().await?;
            api_key::insert(&tx, key).await?;
            tx.commit().await?;
            println!("{}", shown.expose_secret());
            Ok(())
        }
        KeyCommand::List { store, merchant_id } => {
            let foundation = foundation(&store).await?;
            for key in api_key::of_merchant(&foundation.db.read, &merchant_id).await? {
                println!("{}", listed(&key));
            }
            Ok(())
        }
        KeyCommand::Rotate { store, key_id, overlap_hours } => {
            let foundation = foundation(&store).await?;
            let now = foundation.ledger.clock().now();
            let former = api_key::find(&foundation.db.read, &key_id).await?;
            let former = former.filter(|key| key.revoked_at_ms.is_none());
            let former = former.context("there is no such living key")?;
            let scopes = former.scopes.parse()?;
            let (key, shown) = api::mint_key(now, &former.merchant_id, &former.name, &scopes);
            let tx = foundation.db.begin().await?;
            api_key::insert(&tx, key).await?;
            let end = now.plus_ms(i64::from(overlap_hours) * HOUR_MS);
            if !api_key::end_at(&tx, &key_id, end).await? {
                bail!("the key was revoked meanwhile");
            }
            tx.commit().await?;
            println!("{}", shown.expose_secret());
            Ok(())
        }
        KeyCommand::Revoke { store, key_id } => {
            let foundation = foundation(&store).await?;
            let now = foundation.ledger.clock().now();
            let tx = foundation.db.begin().await?;
            let revoked = api_key::revoke(&tx, &key_id, now).await?;
            tx.commit().await?;
            if !revoked {
                bail!("there is no such living key");
            }
            println!("revoked");
            Ok(())
        }
    }
}

fn listed(key: &api_key::Model) -> serde_json::Value {
    serde_json::json!({
        "id": key.id.as_str(), "name": key.name, "scopes": key.scopes,
        "created_at": Timestamp::from_millis(key.created_at_ms),
        "expires_at": key.expires_at_ms.map(Timestamp::from_millis),
        "revoked_at": key.revoked_at_ms.map(Timestamp::from_millis),
    })
}
