//! Writes one of everything into a directory, to be looked at in a browser:
//! `cargo run -p templates --example samples -- DIRECTORY`

mod data;

use std::io::{Error, Result};
use std::path::Path;
use std::{env, fs};

use templates::{ASSET_NAMES, Locale, Templates, asset, asset_url, brand_css};

const OPENAPI: &str = include_str!("openapi.json");

fn main() -> Result<()> {
    let directory = env::args().nth(1).ok_or_else(|| Error::other("give the directory to write to"))?;
    let directory = Path::new(&directory);
    let templates = Templates::new();
    fs::create_dir_all(directory.join("assets/brand"))?;
    for name in ASSET_NAMES {
        let body = asset(name).map(|asset| asset.body).unwrap_or_default();
        fs::write(directory.join("assets").join(name), body)?;
    }
    for accent in ["0a6e5c", "ff6a00", "ffd400", "111111", "7a1fa2"] {
        let css = brand_css(accent).unwrap_or_default();
        fs::write(directory.join(format!("assets/brand/{accent}.css")), css)?;
    }
    for locale in Locale::ALL {
        write_locale(directory, &templates, locale)?;
    }
    let openapi = serde_json::from_str(OPENAPI)?;
    write_page(&directory.join("docs.html"), &templates.page_docs(&openapi))
}

fn write_locale(directory: &Path, templates: &Templates, locale: Locale) -> Result<()> {
    let tag = locale.tag();
    for (name, page) in data::pages(templates, locale) {
        write_page(&directory.join(format!("{name}.{tag}.html")), &page)?;
    }
    let mails = [
        ("mail_link", templates.email_link(locale, &data::link_email())),
        ("mail_receipt", templates.email_receipt(locale, &data::receipt_email())),
    ];
    for (name, mail) in mails {
        fs::write(directory.join(format!("{name}.{tag}.html")), &mail.html)?;
        fs::write(
            directory.join(format!("{name}.{tag}.txt")),
            format!("{}\n\n{}\n", mail.subject, mail.text),
        )?;
    }
    let texts = data::texts(templates, locale).into_iter().map(|(name, text)| format!("{name}\n{text}\n"));
    fs::write(directory.join(format!("texts.{tag}.txt")), texts.collect::<Vec<_>>().join("\n"))
}

/// Links the assets relatively, so that the page works from a file as well as from a server.
fn write_page(path: &Path, html: &str) -> Result<()> {
    let linked = ASSET_NAMES.into_iter().filter_map(|name| Some((name, asset_url(name)?)));
    let html = linked.fold(html.to_owned(), |html, (name, url)| {
        html.replace(&url.replace('=', "&#x3D;"), &format!("assets/{name}"))
    });
    fs::write(path, html.replace("\"/assets/brand/", "\"assets/brand/"))
}
