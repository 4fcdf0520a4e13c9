//! How `kyo` is linked.

fn main() {
    println!("cargo:rerun-if-changed=engine/cli/build.rs");
    let target = |part: &str| std::env::var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    if target("OS") == "linux" && target("ENV") == "gnu" {
        // At a fixed address the 140,000 pointers in the program's tables are written when it is linked.
        // Otherwise each start writes them, and touches 2.5 MB for it: 2 of the 3 ms of a short command.
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
