//! Compiles the C++ shim beside torch-sys and writes libtorch's folder into the binary, so that nobody
//! sets LD_LIBRARY_PATH.

use std::path::PathBuf;

const SOURCES: [&str; 8] = [
    "shim/program.cpp",
    "shim/names.cpp",
    "shim/kernels.cpp",
    "shim/backward.cpp",
    "shim/memory.cpp",
    "shim/products.cpp",
    "shim/update.cpp",
    "shim/stack.cpp",
];

const HEADERS: [&str; 2] = ["shim/shim.h", "shim/nlohmann/json.hpp"];

fn main() {
    for source in SOURCES.iter().chain(&HEADERS) {
        println!("cargo:rerun-if-changed={source}");
    }
    let lib = std::env::var_os("DEP_TCH_LIBTORCH_LIB")
        .map(PathBuf::from)
        .expect("torch-sys, a direct dependency, says where libtorch lies");
    let include = lib.with_file_name("include");
    cc::Build::new()
        .cpp(true)
        .std("c++17")
        .opt_level(3)
        .debug(false)
        .flag("-D_GLIBCXX_USE_CXX11_ABI=1")
        // The same bits from every compiler and on every instruction set.
        .flag("-ffp-contract=off")
        .flag("-fno-math-errno")
        // libtorch's headers are not ours to warn about.
        .flag("-isystem")
        .flag(path_text(include.clone()))
        .flag("-isystem")
        .flag(path_text(include.join("torch/csrc/api/include")))
        .flag("-isystem")
        .flag("shim")
        .files(SOURCES)
        .compile("kyobashi_shim");
    println!("cargo:rustc-link-arg=-Wl,-rpath,{}", lib.display());
    // The shim names symbols that tch itself does not use.
    for library in ["torch_cpu", "c10", "dl"] {
        println!("cargo:rustc-link-lib={library}");
    }
}

fn path_text(path: PathBuf) -> String {
    path.into_os_string()
        .into_string()
        .expect("cargo's own paths are UTF-8")
}
