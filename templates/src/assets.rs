//! Stylesheets and scripts, compiled in and named by their content, so that they may be cached for ever.

/// A file to serve under `/assets/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub content_type: &'static str,
    pub body: &'static str,
    /// Quoted, as the header wants it.
    pub etag: String,
}

/// Every asset there is.
pub const ASSET_NAMES: [&str; 3] = ["pay.css", "pay.js", "docs.css"];

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// The asset of that name.
#[must_use]
pub fn asset(name: &str) -> Option<Asset> {
    let (content_type, body) = match name {
        "pay.css" => (CSS, include_str!("../assets/pay.css")),
        "pay.js" => (JS, include_str!("../assets/pay.js")),
        "docs.css" => (CSS, include_str!("../assets/docs.css")),
        _ => return None,
    };
    Some(Asset { content_type, body, etag: format!("\"{}\"", digest(body)) })
}

/// The address a page links to; it changes with the content.
#[must_use]
pub fn asset_url(name: &str) -> Option<String> {
    asset(name).map(|asset| format!("/assets/{name}?v={}", digest(asset.body)))
}

/// FNV-1a: tells two versions of our own file apart, guards against nobody.
fn digest(body: &str) -> String {
    let hash = body.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn every_asset_is_served_under_its_address() {
        for name in ASSET_NAMES {
            let tag = asset(name).unwrap().etag;
            assert_eq!(asset_url(name).unwrap(), format!("/assets/{name}?v={}", tag.trim_matches('"')));
        }
        assert_eq!(asset("../Cargo.toml"), None);
    }

    #[test]
    fn the_digest_is_the_published_one() {
        assert_eq!(digest(""), "cbf29ce484222325");
        assert_eq!(digest("foobar"), "85944171f73967e8");
    }

    #[test]
    fn no_asset_loads_anything_from_elsewhere() {
        for name in ASSET_NAMES {
            let body = asset(name).unwrap().body;
            assert!(!body.contains("http://") && !body.contains("https://"), "{name}");
            assert!(!body.contains("@import") && !body.contains("@font-face"), "{name}");
        }
    }
}
