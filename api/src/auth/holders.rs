//! Who holds a key, asked of the store for all requests of a moment at once: a key is looked up for every request, never
//! remembered, so that a revoked one ends at once.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::id::ApiKeyId;
use entities::Db;
use entities::api_key::{self, Holder};
use tokio::sync::oneshot;

/// What the store said, or why it said nothing.
type Found = Result<Option<Holder>, Arc<str>>;
type Ask = (ApiKeyId, oneshot::Sender<Found>);

/// Clones share the question that is on its way.
#[derive(Clone, Default)]
pub(crate) struct Holders(Arc<Mutex<Asked>>);

#[derive(Default)]
struct Asked {
    waiting: Vec<Ask>,
    /// Somebody is asking; what waits is asked after.
    asking: bool,
}

impl Holders {
    pub(crate) async fn of(&self, db: &Db, id: ApiKeyId) -> Found {
        let (reply, answer) = oneshot::channel();
        let first = {
            let mut asked = self.asked();
            asked.waiting.push((id, reply));
            !std::mem::replace(&mut asked.asking, true)
        };
        if first {
            // A task of its own: the request that came first may be hung up on.
            tokio::spawn(ask(self.clone(), db.clone()));
        }
        answer.await.unwrap_or_else(|_| Err("the question after a key ended without an answer".into()))
    }

    fn next(&self) -> Vec<Ask> {
        let mut asked = self.asked();
        let next = std::mem::take(&mut asked.waiting);
        asked.asking = !next.is_empty();
        next
    }

    fn asked(&self) -> MutexGuard<'_, Asked> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn ask(holders: Holders, db: Db) {
    loop {
        let asks = holders.next();
        if asks.is_empty() {
            return;
        }
        let mut ids: Vec<&str> = asks.iter().map(|(id, _)| id.as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        let found = api_key::holders(&db.read, &ids).await.map_err(|error| Arc::from(error.to_string()));
        for (id, reply) in asks {
            let of_this = |holders: &Vec<Holder>| holders.iter().find(|holder| holder.id.0 == id).cloned();
            let _caller_left = reply.send(found.as_ref().map(of_this).map_err(Arc::clone));
        }
    }
}
