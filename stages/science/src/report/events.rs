//! `report/tensorboard`: curves as the event files that TensorBoard reads, one folder a run.
//!
//! A file is a sequence of records: length (u64), its masked CRC-32C, the bytes of a protocol-buffer
//! `Event`, their masked CRC-32C; all little-endian. Equal curves give equal bytes: the time of an event,
//! which a curve does not know, is its step in seconds.

use std::path::Path;

use kyobashi_stage::{
    Call, Cell, Context, Datum, Failure, Output, Outputs, Port, Signature, Stage,
};

use crate::gathered;
use crate::stats::plain;

pub(crate) struct TensorBoard;

impl Stage for TensorBoard {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new(
                "curves",
                "list<table>",
                "tables with a column of steps; every other column of numbers becomes a curve",
            )],
            with: vec![Port::or("step", "str", "step", "the column of the steps")],
            outs: vec![Port::new(
                "logs",
                "dir",
                "for `tensorboard --logdir`: a folder a run, named by its coordinates",
            )],
            ..Signature::new(
                "report/tensorboard",
                1,
                "Write curves as event files of TensorBoard",
            )
        }
    }

    fn run(&self, call: &Call, context: &dyn Context) -> Result<Outputs, Failure> {
        let step: String = call.get("step")?;
        let logs = context.scratch().join("logs");
        std::fs::create_dir_all(&logs)?;
        for (index, cell) in gathered::cells(call, "curves")?.iter().enumerate() {
            let Datum::File { path, .. } = &cell.datum else {
                return Err(Failure::new("`curves` are tables"));
            };
            let run = logs.join(name(cell, index));
            std::fs::create_dir_all(&run)?;
            std::fs::write(
                run.join("events.out.tfevents.0.curves"),
                events(path, &step)?,
            )?;
        }
        Ok(Outputs::from([(
            "logs".to_owned(),
            Output::Dir { path: logs },
        )]))
    }
}

/// `dataset=circle,seed=0`, safe as a folder's name.
fn name(cell: &Cell, index: usize) -> String {
    let words: Vec<String> = cell
        .at
        .iter()
        .map(|(axis, value)| format!("{axis}={}", plain(value)))
        .collect();
    if words.is_empty() {
        return format!("run_{index}");
    }
    let safe = |c: char| {
        if c == '/' || c == '\\' || c.is_control() {
            '_'
        } else {
            c
        }
    };
    words.join(",").chars().map(safe).collect()
}

/// The events of a table: for each row one, with a value for each cell that is a number.
fn events(path: &Path, step: &str) -> Result<Vec<u8>, Failure> {
    let bad = |what: String| Failure::new(format!("cannot read {}: {what}", path.display()));
    let mut reader = csv::Reader::from_path(path).map_err(|error| bad(error.to_string()))?;
    let header = reader.headers().map_err(|error| bad(error.to_string()))?;
    let header: Vec<String> = header.iter().map(str::to_owned).collect();
    let at = header.iter().position(|name| name == step).ok_or_else(|| {
        bad(format!("it has no column `{step}`")).help(format!("it has {}", header.join(", ")))
    })?;
    let mut file = record(&first());
    for row in reader.records() {
        let row = row.map_err(|error| bad(error.to_string()))?;
        let step = row.get(at).and_then(|cell| cell.parse::<f64>().ok());
        let step = step.ok_or_else(|| bad("a step is no number".to_owned()))?;
        let mut summary = Vec::new();
        for (index, cell) in row.iter().enumerate().filter(|(index, _)| *index != at) {
            if let (Ok(value), Some(tag)) = (cell.parse::<f64>(), header.get(index)) {
                bytes(&mut summary, 1, &scalar(tag, value as f32));
            }
        }
        if !summary.is_empty() {
            file.extend(record(&event(step, &summary)));
        }
    }
    Ok(file)
}

/// The event that every file begins with: the version of the format.
fn first() -> Vec<u8> {
    let mut event = double(0.0);
    bytes(&mut event, 3, b"brain.Event:2");
    event
}

/// `Event {wall_time: 1, step: 2, summary: 5}`.
fn event(step: f64, summary: &[u8]) -> Vec<u8> {
    let mut event = double(step);
    event.push(2 << 3);
    varint(&mut event, step as u64);
    bytes(&mut event, 5, summary);
    event
}

/// `Summary.Value {tag: 1, simple_value: 2}`.
fn scalar(tag: &str, value: f32) -> Vec<u8> {
    let mut scalar = Vec::new();
    bytes(&mut scalar, 1, tag.as_bytes());
    scalar.push((2 << 3) | 5);
    scalar.extend(value.to_le_bytes());
    scalar
}

/// Field 1 as a double: the time of an event.
fn double(value: f64) -> Vec<u8> {
    let mut message = vec![(1 << 3) | 1];
    message.extend(value.to_le_bytes());
    message
}

/// A field of bytes: its number, their length, they.
fn bytes(message: &mut Vec<u8>, field: u8, content: &[u8]) {
    message.push((field << 3) | 2);
    varint(message, content.len() as u64);
    message.extend_from_slice(content);
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn record(content: &[u8]) -> Vec<u8> {
    let length = (content.len() as u64).to_le_bytes();
    let mut record = length.to_vec();
    record.extend(masked(&length).to_le_bytes());
    record.extend_from_slice(content);
    record.extend(masked(content).to_le_bytes());
    record
}

/// CRC-32C, rotated and shifted as the format wants it, so that a sum of sums is no sum.
fn masked(content: &[u8]) -> u32 {
    let sum = !content.iter().fold(u32::MAX, |mut sum, byte| {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            // The polynomial of Castagnoli, bits reversed.
            sum = (sum >> 1) ^ (0x82F6_3B78 & (sum & 1).wrapping_neg());
        }
        sum
    });
    sum.rotate_right(15).wrapping_add(0xA282_EAD8)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sum of RFC 3720's ascending bytes and of the nine digits, masked by hand.
    #[test]
    fn sums_are_those_of_the_format() {
        let mask = |sum: u32| sum.rotate_right(15).wrapping_add(0xA282_EAD8);
        let ascending: Vec<u8> = (0..32).collect();
        assert_eq!(masked(&ascending), mask(0x46DD_794E));
        assert_eq!(masked(b"123456789"), mask(0xE306_9283));
    }

    #[test]
    fn a_curve_becomes_one_record_a_row_and_empty_cells_are_left_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("curves.csv");
        std::fs::write(&path, "step,loss,accuracy\n10,2.5,\n300,1.5,0.75\n").unwrap();
        let file = events(&path, "step").unwrap();
        let mut contents = Vec::new();
        let mut rest = file.as_slice();
        while !rest.is_empty() {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
            assert_eq!(rest[8..12], masked(&rest[..8]).to_le_bytes());
            let content = &rest[12..12 + length];
            assert_eq!(
                rest[12 + length..16 + length],
                masked(content).to_le_bytes()
            );
            contents.push(content.to_vec());
            rest = &rest[16 + length..];
        }
        assert_eq!(contents.len(), 3);
        assert!(contents[0].ends_with(b"brain.Event:2"));
        let holds = |content: &[u8], part: &[u8]| content.windows(part.len()).any(|w| w == part);
        assert!(holds(&contents[1], b"loss") && !holds(&contents[1], b"accuracy"));
        assert!(holds(&contents[2], &0.75f32.to_le_bytes()));
        // 300 as a varint, after the tag of field 2.
        assert!(holds(&contents[2], &[0x10, 0xAC, 0x02]));
        assert!(events(&path, "time").unwrap_err().message.contains("time"));
    }
}
