//! Call campaigns and enrolments: which invoices may be called about.

use crate::words;

words! {
    pub enum CampaignStatus {
        Active = "active",
        Paused = "paused",
        Ended = "ended",
    }
}

words! {
    /// One invoice in one campaign.
    pub enum EnrolmentStatus {
        Active = "active",
        Paused = "paused",
        Ended = "ended",
    }
}
