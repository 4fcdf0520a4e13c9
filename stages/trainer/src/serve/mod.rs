//! The process's side of the wire: calls come in on standard input, one at a time; answers go out. It
//! ends when its standard input ends, even in the middle of a training, so it never outlives the engine.

mod answer;
mod mouth;
mod watch;

use std::io::BufRead;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use kyobashi_stage::{Failure, FromWorker, ToWorker, WIRE_VERSION};

use mouth::Mouth;
use watch::Watch;

use crate::harness;
use crate::torch::{self, Products};

/// Exit status after a training that could not be stopped in any other way.
pub(crate) const EXIT_STUCK: i32 = 75;

/// Serves calls until standard input ends.
///
/// # Errors
/// If standard output cannot be set aside, or libtorch does not start.
pub(crate) fn serve() -> Result<(), String> {
    let mouth = Arc::new(Mouth::take_stdout().map_err(|error| error.to_string())?);
    let watch = Arc::new(Watch::new(Arc::clone(&mouth)));
    let (calls, incoming) = channel();
    let ears = Arc::clone(&watch);
    std::thread::spawn(move || listen(&calls, &ears));
    let products = torch::prepare().map_err(|error| error.to_string())?;
    mouth.say(&FromWorker::Ready {
        wire: WIRE_VERSION,
        libtorch: torch::torch_version(),
        device: device(products),
    });
    let guard = Arc::clone(&watch);
    std::thread::spawn(move || guard.keep());
    let mut kept = harness::Kept::default();
    for message in incoming {
        let ToWorker::Run {
            call,
            scratch,
            threads,
            checkpoints,
        } = message
        else {
            continue;
        };
        watch.begin();
        let answer = answer::answer(
            &call,
            &scratch,
            threads,
            checkpoints.as_ref(),
            &mut kept,
            watch.as_ref(),
        );
        let said = match answer {
            Ok(outputs) => FromWorker::Done { outputs },
            Err(failure) => FromWorker::Failed { failure },
        };
        watch.end(&said);
    }
    Ok(())
}

/// `cpu AVX2`, or the GPU beside it: what can change the bits of a result.
fn device(products: Products) -> String {
    let cpu = match products {
        Products::Mkl => format!("cpu {}", torch::capability()),
        Products::OneDnn => format!("cpu {}, oneDNN", torch::capability()),
    };
    if tch::Cuda::is_available() {
        format!("cuda, {cpu}")
    } else {
        cpu
    }
}

/// Reads standard input on a thread of its own, so that it is heard while a training runs.
fn listen(calls: &Sender<ToWorker>, watch: &Watch) {
    for line in std::io::stdin().lock().lines() {
        let Ok(line) = line else { break };
        if line.trim().is_empty() {
            continue;
        }
        match serde_json::from_str(&line) {
            Ok(ToWorker::Cancel) => watch.cancel(),
            Ok(run @ ToWorker::Run { .. }) => {
                if calls.send(run).is_err() {
                    break;
                }
            }
            Err(error) => watch.mouth().say(&FromWorker::Failed {
                failure: Failure::bug(format!(
                    "the trainer was sent a line it cannot read: {error}"
                )),
            }),
        }
    }
    mouth::leave(0);
}
