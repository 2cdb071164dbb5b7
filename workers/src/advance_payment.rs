//! Fetches PaymentIntents that somebody had a hint about, and advances what hangs on them.

use domain::job::JobKind;
use entities::payable;
use queue::{Batch, Handler, Outcome};
use sea_orm::DbErr;

use crate::{Context, payment_truth};

pub(crate) struct AdvancePayment {
    pub(crate) context: Context,
}

impl Handler for AdvancePayment {
    const KIND: JobKind = JobKind::AdvancePayment;

    async fn run(&self, batch: &Batch) -> Result<(), DbErr> {
        let context = &self.context;
        let mut jobs = payment_truth::by_subject(batch);
        let subjects: Vec<String> = jobs.keys().cloned().collect();
        let payables = payable::by_ids(&context.db.read, &subjects).await?;
        let mut answers = Vec::new();
        for (payable, said) in payment_truth::fetch(context, payables).await {
            let of_it = jobs.remove(payable.id.as_str()).unwrap_or_default();
            match said {
                Ok(intent) => {
                    payment_truth::advance(context, &payable, &intent, Some((batch, of_it))).await?;
                }
                Err(error) => answers.extend(payment_truth::all(of_it, &payment_truth::outcome_of(&error))),
            }
        }
        // No such payable, or one without a PaymentIntent: there is nothing to learn.
        answers.extend(jobs.into_values().flat_map(|of_it| payment_truth::all(of_it, &Outcome::Done)));
        batch.finish(answers).await
    }
}
