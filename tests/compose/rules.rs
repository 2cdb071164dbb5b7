//! What the file promises about every container.

use std::collections::BTreeSet;
use std::path::Path;

use clap::Args;
use postcall::config::Config;
use postcall::secret_files::is_secret;
use serde_json::{Value, json};

use crate::file::{ComposeFile, keys, texts};

const DOCKERFILE: &str = include_str!("../../Dockerfile");
const REPOSITORY: &str = env!("CARGO_MANIFEST_DIR");

fn each(check: impl Fn(&str, &Value)) {
    for (name, service) in ComposeFile::read().services() {
        check(name, service);
    }
}

#[test]
fn every_container_is_locked_down() {
    each(|name, service| {
        assert_eq!(service["read_only"], true, "{name}: root file system");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}: capabilities");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        let user = service["user"].as_str().unwrap_or_default();
        let id = user.split(':').next().unwrap().parse::<u32>();
        assert!(id.is_ok_and(|id| id > 0), "{name} runs as {user:?}");
        for freedom in ["privileged", "cap_add", "network_mode", "pid", "devices"] {
            assert!(service[freedom].is_null(), "{name}: {freedom}");
        }
    });
}

#[test]
fn every_container_has_limits_and_logs_that_do_not_fill_the_disk() {
    each(|name, service| {
        let limits = &service["deploy"]["resources"]["limits"];
        for resource in ["cpus", "memory", "pids"] {
            assert!(!limits[resource].is_null(), "{name}: {resource}");
        }
        for option in ["max-size", "max-file"] {
            assert!(service["logging"]["options"][option].is_string(), "{name}: {option} of its log");
        }
    });
}

#[test]
fn every_service_has_a_health_check_or_ends_by_itself_and_is_waited_for_by_it() {
    let file = ComposeFile::read();
    each(|name, service| {
        let ends = service["restart"] == "no";
        assert_eq!(ends, service["healthcheck"]["disable"] == true, "{name}");
        assert_eq!(
            ends,
            service["healthcheck"]["test"].is_null() || service["healthcheck"]["disable"] == true
        );
        for other in keys(&service["depends_on"]) {
            let ends = file.service(&other)["restart"] == "no";
            let expected = if ends { "service_completed_successfully" } else { "service_healthy" };
            assert_eq!(service["depends_on"][&other]["condition"], expected, "{name} waits for {other}");
        }
    });
}

#[test]
fn every_image_is_pinned() {
    let pinned = |image: &str| {
        let (name, digest) = image.split_once('@').unwrap_or((image, ""));
        let tag = name.rsplit_once(':').map_or("", |(_, tag)| tag);
        let has_digest = digest.strip_prefix("sha256:").is_some_and(|digest| {
            digest.len() == 64
                && digest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
        });
        assert!(digest.is_empty() || has_digest, "{image}: its digest is none");
        // An exact release has at least two numbers, or a date.
        let digits = tag.bytes().filter(u8::is_ascii_digit).count();
        assert!(digits >= 3 && !tag.contains("latest"), "{image} may become another image");
    };
    each(|_, service| {
        let image = service["image"].as_str().unwrap();
        if service["build"].is_null() {
            pinned(image);
        }
    });
    let bases: Vec<&str> =
        DOCKERFILE.lines().filter_map(|line| line.strip_prefix("FROM ")?.split(' ').next()).collect();
    assert_eq!(bases.len(), 2);
    bases.into_iter().for_each(pinned);
}

#[test]
fn no_secret_is_a_variable_and_every_variable_is_known() {
    let command = Config::augment_args(clap::Command::new("postcall"));
    let variables = |secret: bool| -> BTreeSet<String> {
        let arguments = command.get_arguments().filter(|argument| is_secret(argument) == secret);
        arguments.filter_map(|argument| Some(argument.get_env()?.to_string_lossy().into_owned())).collect()
    };
    let (secret, open) = (variables(true), variables(false));
    let secret_files: BTreeSet<String> = secret.iter().map(|name| format!("{name}_FILE")).collect();
    let mut given = BTreeSet::new();
    each(|_, service| {
        let names = keys(&service["environment"]);
        for name in names.iter().filter(|name| name.starts_with("POSTCALL_")) {
            assert!(
                open.contains(name) || secret_files.contains(name),
                "{name} in the clear, or nobody reads it"
            );
        }
    });
    let file = ComposeFile::read();
    given.extend(keys(&file.service("api")["environment"]));
    let missing: Vec<_> = secret_files.difference(&given).collect();
    assert!(missing.is_empty(), "secrets that no file gives: {missing:?}");
}

#[test]
fn every_secret_is_a_file_that_the_script_makes() {
    let file = ComposeFile::read();
    let folder = tempfile::tempdir().unwrap();
    let mut script = std::process::Command::new("sh");
    script.arg("deploy/make-secrets.sh").arg(folder.path()).current_dir(REPOSITORY);
    assert!(script.status().unwrap().success());
    let made = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap_or_default();
    let declared = file.root["secrets"].as_object().unwrap();
    for (name, secret) in declared {
        assert_eq!(secret["file"], format!("./deploy/secrets/{name}"));
        assert!(made(name).trim().len() > 8, "{name} is made");
    }
    each(|name, service| {
        for secret in texts(&service["secrets"]) {
            assert!(declared.contains_key(&secret), "{name} mounts {secret}");
        }
        for value in service["environment"].as_object().into_iter().flatten().map(|(_, value)| value) {
            let Some(secret) = value.as_str().and_then(|path| path.strip_prefix("/run/secrets/")) else {
                continue;
            };
            assert!(texts(&service["secrets"]).iter().any(|mounted| mounted == secret), "{name}: {secret}");
        }
    });
    let before = made("keys");
    assert!(script.status().unwrap().success());
    assert_eq!(made("keys"), before, "a second run changes nothing");
    assert!(domain::keyring::Keyring::parse(before.trim()).is_ok());
}

#[test]
fn ports_are_published_on_this_machine_alone_and_never_the_private_listener() {
    each(|name, service| {
        for port in texts(&service["ports"]) {
            assert!(port.starts_with("127.0.0.1:"), "{name} publishes {port}");
            assert!(
                !port.ends_with(":9464") && !port.ends_with(":5432") && !port.ends_with(":6379"),
                "{name}"
            );
        }
    });
}

#[test]
fn database_redis_and_metrics_lie_in_networks_without_a_way_out() {
    let file = ComposeFile::read();
    for network in ["data", "metrics"] {
        assert_eq!(file.root["networks"][network]["internal"], true, "{network}");
    }
    for name in ["postgres", "redis"] {
        assert_eq!(keys(&file.service(name)["networks"]), ["data"], "{name}");
    }
    for name in ["api", "workers", "proxy"] {
        assert!(keys(&file.service(name)["networks"]).contains(&"metrics".to_owned()), "{name} is scraped");
    }
}

#[test]
fn every_file_that_is_mounted_is_in_the_repository_and_every_volume_declared() {
    let file = ComposeFile::read();
    each(|name, service| {
        for volume in texts(&service["volumes"]) {
            let source = volume.split(':').next().unwrap();
            if let Some(path) = source.strip_prefix("./") {
                let in_repository = Path::new(REPOSITORY).join(path).exists();
                // The dashboards' folder is another change's: it comes whole or not at all.
                let to_come =
                    path.starts_with("monitoring/") && !Path::new(REPOSITORY).join("monitoring").exists();
                assert!(in_repository || to_come, "{name} mounts {path}");
                assert!(volume.ends_with(":ro"), "{name} may write to {path}");
            } else {
                assert!(file.root["volumes"][source].is_object(), "{name} mounts {source}");
            }
        }
    });
}

#[test]
fn the_image_runs_as_the_same_user_and_with_the_same_health_check_as_the_file_says() {
    let file = ComposeFile::read();
    let user = file.service("api")["user"].as_str().unwrap();
    assert!(DOCKERFILE.lines().any(|line| line == format!("USER {user}")));
    assert!(DOCKERFILE.contains(r#"CMD ["postcall", "ready"]"#));
    assert_eq!(file.service("api")["healthcheck"]["test"], json!(["CMD", "postcall", "ready"]));
}

#[test]
fn the_build_is_sent_every_crate_and_no_secret() {
    let ignored = include_str!("../../.dockerignore");
    let manifest = include_str!("../../Cargo.toml");
    let (_, members) = manifest.split_once("members = [").unwrap();
    for member in members.split_once(']').unwrap().0.split('"').skip(1).step_by(2) {
        assert!(
            ignored.lines().any(|line| line == format!("!{member}")),
            "{member} is not sent to the build"
        );
    }
    assert_eq!(ignored.lines().next(), Some("*"), "what is not named is not sent");
    assert!(!ignored.contains("deploy"));
}
