//! Tells cargo that the built web parts belong to this crate, and a release without them what is missing. It never calls
//! npm: a build must not reach for the network behind anybody's back.

use std::env;
use std::path::Path;

fn main() {
    println!("cargo:rerun-if-env-changed=CONTINUO_NO_UI");
    let web = Path::new("../../web");
    // A path that does not exist would make cargo build this crate anew each time.
    for part in ["workspace/dist", "widget/dist"].map(|part| web.join(part)).iter().filter(|part| part.exists()) {
        println!("cargo:rerun-if-changed={}", part.display());
    }
    println!("cargo:rerun-if-changed=build.rs");

    let release = env::var_os("PROFILE").is_some_and(|profile| profile == "release");
    let built = web.join("workspace/dist/index.html").exists() && web.join("widget/dist/loader.js").exists();
    if release && !built && env::var_os("CONTINUO_NO_UI").is_none() {
        println!(
            "cargo:warning=the web parts are not built: run `make web` first, or set CONTINUO_NO_UI=1 for a server without screens"
        );
        std::process::exit(1);
    }
}
