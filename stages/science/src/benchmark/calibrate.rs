//! `review/calibration`: refuses a calibration that was made of other reviewers than those that are about to
//! review, before anybody is asked.

use kyobashi_stage::{
    Call, Context, Datum, Failure, Model, Output, Outputs, Port, Signature, Stage,
};

use super::calibrated::Calibrated;
use super::scale::Scales;
use crate::review::Statistic;

pub(crate) struct Calibrate;

impl Stage for Calibrate {
    fn signature(&self) -> Signature {
        Signature {
            ins: vec![Port::new(
                "calibration",
                "json?",
                "the `calibration.json` of `pipelines/reviewer-benchmark.yaml`",
            )],
            with: vec![
                Port::new(
                    "reviewers",
                    "list<model>",
                    "the models of the panel that it is for",
                ),
                Port::new("form", "file(.json)", "the form that they fill in"),
                Port::or(
                    "statistic",
                    "str",
                    "mean",
                    "how their scores become one: mean, median, rounded_mean",
                ),
            ],
            outs: vec![
                Port::new("calibration", "json", "the same, for `review/aggregate`"),
                Port::new("fits", "bool", "true; one that does not fit fails"),
            ],
            ..Signature::new(
                "review/calibration",
                1,
                "Refuse a calibration of other reviewers",
            )
        }
    }

    fn run(&self, call: &Call, _: &dyn Context) -> Result<Outputs, Failure> {
        let value = call.value("calibration")?;
        let found = Calibrated::read(&value)?;
        let panel: Vec<Model> = call.get("reviewers")?;
        let reviewers = panel.iter().map(Model::to_string).collect();
        let statistic = Statistic::read(&call.get::<String>("statistic")?)?;
        found.fits(
            &reviewers,
            &Scales::read(&call.text("form")?)?.name,
            statistic,
        )?;
        Ok(Outputs::from([
            ("calibration".to_owned(), Output::value(value)),
            ("fits".to_owned(), Output::value(true)),
        ]))
    }
}

/// Which papers a calibration is made on: in the user's words, else by the digest of the ratings.
pub(crate) fn source(call: &Call) -> Result<String, Failure> {
    if call.has("source") {
        return call.get("source");
    }
    Ok(match call.datum("ratings")? {
        Datum::File { digest, .. } => {
            format!("ratings {}", digest.chars().take(12).collect::<String>())
        }
        _ => "ratings".to_owned(),
    })
}
