//! `postcall`: one binary. `postcall demo` needs nothing; everything else reads the environment (see `.env.example`).
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command line answers its operator")]

mod commands;

use std::process::ExitCode;
use std::time::Duration;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use postcall::config::{Config, Store};
use postcall::demo::DemoOptions;
use postcall::doctor::DoctorOptions;
use postcall::product::{Product, Roles, StopSignals};
use postcall::secret_files;
use postcall::simulate::SimulateOptions;
use queue::Clock;
use tracing_subscriber::EnvFilter;

/// Stripe's client warns with the words of Stripe's answer in it; our own log says what it came to.
const QUOTES_STRIPE: &str = "stripe=off";

/// How long the end of the process waits for the collector.
const LAST_TRACES: Duration = Duration::from_secs(3);

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(name = "postcall", version, about = "From the end of a call to a paid invoice")]
struct Cli {
    /// What is logged, for example `info` or `postcall=debug,queue=info`.
    #[arg(
        long,
        global = true,
        default_value = "warn,postcall=info,api=info,workers=info,queue=info,gateways=info"
    )]
    log: String,

    /// Sends a trace of each invoice's way to this collector (OTLP over HTTP), for example http://localhost:4318.
    #[arg(long, global = true, env = "OTEL_EXPORTER_OTLP_ENDPOINT")]
    otlp_endpoint: Option<String>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The whole product on the embedded database, with the outside world simulated.
    Demo(DemoOptions),
    /// API and workers in one process.
    Serve(Box<Config>),
    /// The API alone.
    Api(Box<Config>),
    /// The workers alone.
    Workers(Box<Config>),
    /// Brings the schema up to date (every other command does so too).
    Migrate(Store),
    /// Merchants.
    #[command(subcommand)]
    Merchant(commands::MerchantCommand),
    /// API keys.
    #[command(subcommand)]
    Key(commands::KeyCommand),
    /// Jobs that gave up.
    #[command(subcommand)]
    Jobs(commands::JobsCommand),
    /// The outside world in front of a product that runs elsewhere: providers, phones, and people who call and pay.
    Simulate(Box<SimulateOptions>),
    /// Asks a process of this machine whether it is ready; exits with 0 when it is. For health checks.
    Ready(commands::Ready),
    /// Examines configuration, connections, clocks and stuck work, and says what to do. Exits with 0 when all is fine,
    /// 1 when somebody should look, 2 when something is broken.
    Doctor(Box<DoctorOptions>),
}

fn main() -> ExitCode {
    match start() {
        Ok(code) => code,
        Err(error) => {
            // One line with its causes: an operator has use for these, not for a backtrace.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start() -> anyhow::Result<ExitCode> {
    gateways::http::install_crypto();
    let command = secret_files::read(Cli::command(), &|name| std::env::var_os(name))?;
    let cli = Cli::from_arg_matches(&command.get_matches()).unwrap_or_else(|error| error.exit());
    tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(format!("{},{QUOTES_STRIPE}", cli.log)))
        .with_writer(std::io::stderr)
        .with_target(false)
        .init();
    postcall::panics::log_without_data();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if let Some(endpoint) = cli.otlp_endpoint.filter(|endpoint| !endpoint.is_empty()) {
        postcall::traces::start(&endpoint, runtime.handle())?;
    }
    let ended = runtime.block_on(run(cli.command));
    queue::trace::end(LAST_TRACES);
    ended
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Doctor(options) => return Ok(postcall::doctor::run(&options).await.into()),
        Command::Demo(options) => postcall::demo::run(options).await,
        Command::Simulate(options) => postcall::simulate::run(&options).await,
        Command::Ready(ready) => commands::ready(&ready).await,
        Command::Serve(config) => serve(&config, Roles::BOTH).await,
        Command::Api(config) => serve(&config, Roles::API).await,
        Command::Workers(config) => serve(&config, Roles::WORKERS).await,
        Command::Migrate(store) => commands::migrate(&store).await,
        Command::Merchant(command) => commands::merchant(command).await,
        Command::Key(command) => commands::key(command).await,
        Command::Jobs(command) => commands::jobs(command).await,
    }?;
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: &Config, roles: Roles) -> anyhow::Result<()> {
    let mut stop = StopSignals::listen()?;
    let product = Product::start(config, Clock::ahead_by(config.clock_offset_ms), roles).await?;
    if let Some(address) = product.public {
        println!("listening on http://{address}");
    }
    println!("metrics on http://{}/metrics", product.private);
    stop.received().await;
    product.stop().await;
    Ok(())
}
