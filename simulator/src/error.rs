//! What can go wrong while the world is set up or asked to act.

/// A failure of the stand-ins themselves, never a scripted one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A listener could not be opened.
    #[error("could not listen on port {port}: {source}")]
    Listen {
        /// The port that was asked for; 0 means any.
        port: u16,
        /// Why the system refused.
        source: std::io::Error,
    },
    /// The HTTP client could not be built.
    #[error("could not build the HTTP client: {0}")]
    HttpClient(#[source] reqwest::Error),
    /// A request to the product did not come back.
    #[error("no answer from {url}: {source}")]
    Unreachable {
        /// Who was asked.
        url: String,
        /// What the client saw.
        source: reqwest::Error,
    },
    /// The product answered something the stand-in cannot work with.
    #[error("{doing}: the answer was {status}: {body}")]
    Answered {
        /// What was being done.
        doing: &'static str,
        /// The HTTP status.
        status: u16,
        /// The start of the body.
        body: String,
    },
    /// A page or message lacks something a person would need.
    #[error("{0}")]
    Missing(String),
    /// The stand-in was asked to call the product before it was told where that is.
    #[error("the world was not told the product's {0}: call World::connect first")]
    NotConnected(&'static str),
    /// A signing secret is not what its scheme asks for.
    #[error("a Standard Webhooks secret is whsec_ followed by base64")]
    BadSecret,
    /// A waiting test ran out of patience.
    #[error("nothing like that happened within {0:?}")]
    TimedOut(std::time::Duration),
}
