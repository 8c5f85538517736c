//! Packs the built web client into the binary.
//!
//! Every file of `web/dist` becomes one entry of a table: its path, its media type, its bytes
//! compressed with gzip, and whether its name holds a content hash.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io, process};

use flate2::Compression;
use flate2::write::GzEncoder;

fn main() {
    // Looked up when it runs: a target directory may serve more than one working copy.
    let manifest = env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default();
    let dist = Path::new(&manifest).join("../web/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");
    if !dist.join("index.html").is_file() {
        println!("cargo::error=the web client is not built; run `make web` first");
        process::exit(1);
    }
    if let Err(error) = pack(&dist) {
        println!("cargo::error=cannot pack {}: {error}", dist.display());
        process::exit(1);
    }
}

fn pack(dist: &Path) -> io::Result<()> {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut files = Vec::new();
    collect(dist, &mut files)?;
    files.sort();
    let mut table = String::from("pub(crate) static ASSETS: &[Asset] = &[\n");
    for (index, file) in files.iter().enumerate() {
        let name = file.strip_prefix(dist).unwrap_or(file).to_string_lossy();
        let packed = out.join(format!("asset-{index}.gz"));
        let mut encoder = GzEncoder::new(fs::File::create(&packed)?, Compression::best());
        encoder.write_all(&fs::read(file)?)?;
        encoder.finish()?;
        let media_type = media_type(file);
        let hashed = name.starts_with("assets/");
        let entry = format!(
            "    Asset {{ path: {name:?}, media_type: {media_type:?}, hashed: {hashed}, \
             gzip: include_bytes!({packed:?}) }},"
        );
        writeln!(table, "{entry}").map_err(io::Error::other)?;
    }
    table.push_str("];\n");
    fs::write(out.join("assets.rs"), table)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), files)?;
        } else {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("wasm") => "application/wasm",
        Some("woff2") => "font/woff2",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}
