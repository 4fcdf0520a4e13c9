//! Promises of the store between processes: `kill -9`, single flight, a full disk, a store that
//! may only be read. This program starts itself as the other processes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "it is its own test harness")]

mod child;
mod crash;
mod room;
mod share;

/// Says what it saw, or that it could not be done here.
type Test = fn() -> String;

const TESTS: [(&str, Test); 5] = [
    (
        "kill_9_loses_nothing_acknowledged_and_leaves_nothing_half_written",
        crash::kills,
    ),
    (
        "of_several_processes_exactly_one_makes_each_record",
        share::race,
    ),
    (
        "a_store_of_another_user_is_read_and_not_written",
        share::read_only,
    ),
    (
        "a_file_size_limit_leaves_the_store_intact",
        room::file_size_limit,
    ),
    ("a_full_disk_leaves_the_store_intact", room::full_disk),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|first| first == "child") {
        return child::run(&arguments[1..]);
    }
    let filter = arguments.iter().find(|argument| !argument.starts_with('-'));
    for (name, test) in TESTS {
        if arguments.iter().any(|argument| argument == "--list") {
            println!("{name}: test");
        } else if filter.is_none_or(|filter| name.contains(filter.as_str())) {
            println!("test {name} ... {}", test());
        }
    }
}
