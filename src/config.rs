//! Configuration: environment variables (or flags), read here and nowhere else. `.env.example` lists every one of them;
//! a test keeps it true.

use anyhow::{Context, bail};
use clap::Args;
use domain::retention::Ages;
use domain::time::DAY_MS;
use gateways::http::Reach;
use ipnet::IpNet;
use secrecy::SecretString;

/// What every process needs.
#[derive(Debug, Clone, Args)]
pub struct Store {
    /// `sqlite://path/to/file.db` on one machine, `postgres://user:password@host/database` on several.
    #[arg(
        long,
        env = "POSTCALL_DATABASE_URL",
        default_value = "sqlite://postcall.db",
        hide_env_values = true
    )]
    pub database_url: String,

    /// Wake-ups and live updates between processes: `redis://user:password@host:6379/0`, or
    /// `redis+sentinel://user:password@host:26379,host:26379/service`; `rediss` for TLS. Without it they notice by a poll
    /// each second.
    #[arg(long, env = "POSTCALL_REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,

    /// Secret keys, `id:base64 of 32 bytes`, separated by commas, the current one first. Links and signing secrets are
    /// derived from them; keep them outside the database and its backups.
    #[arg(long, env = "POSTCALL_KEYS", hide_env_values = true)]
    pub keys: Option<String>,

    /// Writes down the text of every statement. For tests.
    #[arg(long, env = "POSTCALL_RECORD_STATEMENTS", hide = true)]
    pub record_statements: Option<std::path::PathBuf>,
}

/// How long things are kept that nobody needs any more. Invoices, payments, disputes and their timeline, opt-outs and
/// consents are kept for ever.
#[derive(Debug, Clone, Args)]
pub struct Keep {
    /// Jobs that are done, in days.
    #[arg(long, env = "POSTCALL_KEEP_JOBS_DAYS", default_value = "7", value_parser = days())]
    pub jobs_days: i64,

    /// What was said on calls, as it was sent to us, in days; the events themselves stay longer.
    #[arg(long, env = "POSTCALL_KEEP_BODIES_DAYS", default_value = "30", value_parser = days())]
    pub bodies_days: i64,

    /// Stripe's events, inbound texts and answers under an Idempotency-Key, in days.
    #[arg(long, env = "POSTCALL_KEEP_WEBHOOKS_DAYS", default_value = "30", value_parser = days())]
    pub webhooks_days: i64,

    /// Call events, messages with their attempts and deliveries, ended links with their opens, in days.
    #[arg(long, env = "POSTCALL_KEEP_EVENTS_DAYS", default_value = "396", value_parser = days())]
    pub events_days: i64,
}

/// Less could take away what a retry still needs.
fn days() -> clap::builder::RangedI64ValueParser<i64> {
    clap::value_parser!(i64).range(4..=36_500)
}

impl Default for Keep {
    fn default() -> Self {
        Self { jobs_days: 7, bodies_days: 30, webhooks_days: 30, events_days: 396 }
    }
}

impl Keep {
    #[must_use]
    pub fn ages(&self) -> Ages {
        Ages {
            jobs_ms: self.jobs_days * DAY_MS,
            bodies_ms: self.bodies_days * DAY_MS,
            webhooks_ms: self.webhooks_days * DAY_MS,
            events_ms: self.events_days * DAY_MS,
        }
    }
}

/// What a process that serves or works needs besides.
#[derive(Debug, Clone, Args)]
pub struct Config {
    #[command(flatten)]
    pub store: Store,

    /// Where customers, merchants and providers reach us, as they see it.
    #[arg(long, env = "POSTCALL_PUBLIC_URL", default_value = "http://127.0.0.1:8080")]
    pub public_url: String,

    /// Public listener.
    #[arg(long, env = "POSTCALL_LISTEN", default_value = "127.0.0.1:8080")]
    pub listen: String,

    /// Private listener: /metrics, /healthz, /readyz.
    #[arg(long, env = "POSTCALL_PRIVATE_LISTEN", default_value = "127.0.0.1:9464")]
    pub private_listen: String,

    /// The platform's Stripe secret key.
    #[arg(long, env = "POSTCALL_STRIPE_SECRET_KEY", default_value = "", hide_env_values = true)]
    pub stripe_secret_key: String,

    #[arg(long, env = "POSTCALL_STRIPE_PUBLISHABLE_KEY", default_value = "")]
    pub stripe_publishable_key: String,

    /// Secrets of the Stripe webhook endpoint, separated by commas: two while one is rolled.
    #[arg(long, env = "POSTCALL_STRIPE_WEBHOOK_SECRETS", default_value = "", hide_env_values = true)]
    pub stripe_webhook_secrets: String,

    #[arg(long, env = "POSTCALL_STRIPE_URL", default_value = "https://api.stripe.com")]
    pub stripe_url: String,

    #[arg(long, env = "POSTCALL_STRIPE_JS_URL", default_value = "https://js.stripe.com/endive/stripe.js")]
    pub stripe_js_url: String,

    #[arg(long, env = "POSTCALL_TWILIO_ACCOUNT_SID", default_value = "")]
    pub twilio_account_sid: String,

    /// Twilio auth tokens, separated by commas, the current one first: two while one is rotated.
    #[arg(long, env = "POSTCALL_TWILIO_AUTH_TOKENS", default_value = "", hide_env_values = true)]
    pub twilio_auth_tokens: String,

    #[arg(long, env = "POSTCALL_TWILIO_URL", default_value = "https://api.twilio.com")]
    pub twilio_url: String,

    /// The mail relay: `smtp://user:password@host:587?tls=required`, `smtps://…`, or `smtp://127.0.0.1:25`.
    #[arg(long, env = "POSTCALL_SMTP_URL", default_value = "smtp://127.0.0.1:25", hide_env_values = true)]
    pub smtp_url: String,

    /// Lets merchants' dialer URLs lead to private addresses; only where merchants and operator are the same people.
    #[arg(long, env = "POSTCALL_DIALER_ANYWHERE", default_value = "false", action = clap::ArgAction::Set)]
    pub dialer_anywhere: bool,

    #[command(flatten)]
    pub limits: Limits,

    #[command(flatten)]
    pub keep: Keep,

    /// Moves business time ahead of the machine's, in milliseconds. For tests.
    #[arg(
        long,
        env = "POSTCALL_CLOCK_OFFSET_MS",
        default_value = "0",
        hide = true,
        allow_negative_numbers = true
    )]
    pub clock_offset_ms: i64,

    /// Makes a debug build die at a named step. For tests.
    #[arg(long, env = "POSTCALL_CRASH_AT", hide = true)]
    pub crash_at: Option<String>,
}

/// How much of anything is taken.
#[derive(Debug, Clone, Args)]
pub struct Limits {
    /// Connections to the public listener at once. When all are taken, those that idle longest are closed for new ones.
    #[arg(long, env = "POSTCALL_CONNECTIONS_MAX", default_value = "10000")]
    pub connections_max: usize,

    /// Texts a minute of one number, where the merchant's row says nothing else; 0 for no limit.
    #[arg(long, env = "POSTCALL_SENDER_TEXTS_PER_MINUTE_MAX", default_value = "6000")]
    pub sender_texts_per_minute_max: u32,

    /// Requests a minute with one API key, a sixth of them at once; events are not counted. 0 for no limit.
    #[arg(long, env = "POSTCALL_KEY_REQUESTS_PER_MINUTE_MAX", default_value = "6000")]
    pub key_requests_per_minute_max: u32,

    /// Requests a minute from one address for pages, and without a valid credential; a sixth of them at once.
    #[arg(long, env = "POSTCALL_ADDRESS_REQUESTS_PER_MINUTE_MAX", default_value = "600")]
    pub address_requests_per_minute_max: u32,

    /// Events a minute of one merchant, an end to a loop gone wild. Webhooks of carrier and Stripe have no limit.
    #[arg(long, env = "POSTCALL_MERCHANT_EVENTS_PER_MINUTE_MAX", default_value = "600000")]
    pub merchant_events_per_minute_max: u32,

    /// Links and payments an hour asked for by hand or button for one customer; a third of them at once.
    #[arg(long, env = "POSTCALL_RECIPIENT_REQUESTS_PER_HOUR_MAX", default_value = "30")]
    pub recipient_requests_per_hour_max: u32,

    /// Proxies whose X-Forwarded-For is believed, as networks separated by commas: `10.0.0.0/8,fd00::/8`.
    #[arg(long, env = "POSTCALL_TRUSTED_PROXIES", default_value = "")]
    pub trusted_proxies: String,
}

impl Limits {
    /// # Errors
    /// When one is not a network.
    pub fn trusted_proxies(&self) -> anyhow::Result<Vec<IpNet>> {
        let pieces = self.trusted_proxies.split(',').map(str::trim).filter(|piece| !piece.is_empty());
        let network = |piece: &str| {
            let address = || Some(IpNet::from(piece.parse::<std::net::IpAddr>().ok()?));
            let network = piece.parse().ok().or_else(address);
            network.with_context(|| format!("POSTCALL_TRUSTED_PROXIES: {piece:?} is not a network"))
        };
        pieces.map(network).collect()
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            sender_texts_per_minute_max: 6_000,
            key_requests_per_minute_max: 6_000,
            address_requests_per_minute_max: 600,
            merchant_events_per_minute_max: 600_000,
            recipient_requests_per_hour_max: 30,
            trusted_proxies: String::new(),
        }
    }
}

impl Config {
    /// Refuses what could only fail later, in front of a customer.
    ///
    /// # Errors
    /// Names the variables at fault.
    pub fn check(&self) -> anyhow::Result<()> {
        let problems = self.problems();
        if problems.is_empty() { Ok(()) } else { bail!("{}", problems.join("; ")) }
    }

    /// Everything that is wrong with it, a sentence each that names the variable.
    #[must_use]
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let url = self.public_url.as_str();
        if !(url.starts_with("https://") || url.starts_with("http://")) || url.ends_with('/') {
            problems.push("POSTCALL_PUBLIC_URL must be http(s)://… without a slash at the end".to_owned());
        }
        let required = [
            ("POSTCALL_STRIPE_SECRET_KEY", &self.stripe_secret_key),
            ("POSTCALL_STRIPE_PUBLISHABLE_KEY", &self.stripe_publishable_key),
            ("POSTCALL_STRIPE_WEBHOOK_SECRETS", &self.stripe_webhook_secrets),
            ("POSTCALL_TWILIO_ACCOUNT_SID", &self.twilio_account_sid),
            ("POSTCALL_TWILIO_AUTH_TOKENS", &self.twilio_auth_tokens),
        ];
        let unset = required.into_iter().filter(|(_, value)| value.trim().is_empty());
        problems.extend(unset.map(|(name, _)| format!("{name} is not set")));
        problems
    }

    #[must_use]
    pub fn stripe_webhook_secrets(&self) -> Vec<SecretString> {
        list(&self.stripe_webhook_secrets)
    }

    #[must_use]
    pub fn twilio_auth_tokens(&self) -> Vec<SecretString> {
        list(&self.twilio_auth_tokens)
    }

    /// The host customers see, for Message-IDs and the greeting to the mail relay.
    ///
    /// # Errors
    /// When the public URL names no host.
    pub fn public_host(&self) -> anyhow::Result<String> {
        let after_scheme = self.public_url.split_once("://").map_or("", |(_, rest)| rest);
        let host = after_scheme.split(['/', ':']).next().filter(|host| !host.is_empty());
        host.map(ToOwned::to_owned).context("POSTCALL_PUBLIC_URL names no host")
    }

    #[must_use]
    pub fn dialer_reach(&self) -> Reach {
        if self.dialer_anywhere { Reach::Anywhere } else { Reach::PublicOnly }
    }

    #[must_use]
    pub fn stripe_livemode(&self) -> bool {
        self.stripe_secret_key.starts_with("sk_live_") || self.stripe_secret_key.starts_with("rk_live_")
    }
}

/// Splits a comma-separated list; an empty piece would verify anything signed with nothing, so it is dropped.
fn list(text: &str) -> Vec<SecretString> {
    text.split(',').map(str::trim).filter(|piece| !piece.is_empty()).map(SecretString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, Parser};
    use std::collections::BTreeMap;

    #[derive(Parser)]
    struct Everything {
        #[command(flatten)]
        config: Config,
    }

    #[test]
    fn the_example_names_every_variable_with_its_default_and_no_other() {
        let example: BTreeMap<String, String> = include_str!("../.env.example")
            .lines()
            .filter_map(|line| line.trim_start_matches("# ").split_once('='))
            .filter(|(name, _)| name.starts_with("POSTCALL_"))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let command = Everything::command();
        let mut known = BTreeMap::new();
        for argument in command.get_arguments().filter(|argument| !argument.is_hide_set()) {
            let Some(name) = argument.get_env() else { continue };
            let default = argument
                .get_default_values()
                .first()
                .map_or(String::new(), |value| value.to_string_lossy().into_owned());
            known.insert(name.to_string_lossy().into_owned(), default);
        }
        let names: Vec<&String> = example.keys().collect();
        assert_eq!(names, known.keys().collect::<Vec<_>>());
        for (name, default) in known.iter().filter(|(_, default)| !default.is_empty()) {
            assert_eq!(&example[name], default, "the default of {name}");
        }
    }

    #[test]
    fn the_example_marks_every_secret_and_nothing_else() {
        let example = include_str!("../.env.example");
        for argument in Everything::command().get_arguments().filter(|argument| !argument.is_hide_set()) {
            let Some(name) = argument.get_env() else { continue };
            let name = format!("{}=", name.to_string_lossy());
            let is_name = |line: &&str| line.trim_start_matches("# ").starts_with(&name);
            let before = example.lines().take_while(|line| !is_name(line)).collect::<Vec<_>>();
            let is_about_it = |line: &&&str| line.starts_with("# ") && !line.starts_with("# POSTCALL_");
            let marked = before.iter().rev().take_while(is_about_it).any(|line| line.contains("[secret]"));
            assert_eq!(marked, crate::secret_files::is_secret(argument), "{name}");
        }
    }

    #[test]
    fn the_defaults_of_the_limits_are_those_of_the_command_line() {
        let parsed = Everything::try_parse_from(["x"]).unwrap().config.limits;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Limits::default()));
    }

    #[test]
    fn proxies_are_networks_or_addresses() {
        let proxies =
            |text: &str| Limits { trusted_proxies: text.to_owned(), ..Limits::default() }.trusted_proxies();
        let read: Vec<String> = proxies("10.0.0.0/8, ::1").unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(read, ["10.0.0.0/8", "::1/128"]);
        assert!(proxies("").unwrap().is_empty());
        assert!(proxies("10.0.0.0/99").unwrap_err().to_string().contains("POSTCALL_TRUSTED_PROXIES"));
    }

    #[test]
    fn what_is_kept_by_default_is_what_the_command_line_says() {
        let keep = Everything::try_parse_from(["x"]).unwrap().config.keep;
        assert_eq!(keep.ages(), Ages::default());
        assert_eq!(Keep::default().ages(), Ages::default());
        assert!(Everything::try_parse_from(["x", "--keep-jobs-days", "1"]).is_err());
    }

    #[test]
    fn empty_secrets_never_count() {
        assert!(list(" , ,").is_empty());
        assert_eq!(list("a, b").len(), 2);
    }

    #[test]
    fn nonsense_is_refused_at_the_start() {
        let parse =
            |arguments: &[&str]| Everything::try_parse_from([&["x"], arguments].concat()).unwrap().config;
        assert!(parse(&[]).check().unwrap_err().to_string().contains("POSTCALL_STRIPE_SECRET_KEY"));
        let slashed = parse(&["--public-url", "https://pay.example.com/"]);
        assert!(slashed.check().unwrap_err().to_string().contains("POSTCALL_PUBLIC_URL"));
        assert_eq!(
            parse(&["--public-url", "https://pay.example.com:444"]).public_host().unwrap(),
            "pay.example.com"
        );
    }
}
