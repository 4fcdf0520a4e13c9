//! Metrics by their names: which way is better. It knows words of machine learning, no results.

use super::super::review::Way;
use super::words::has;

/// Which way is better for a metric, by its name.
pub(super) fn better(names: &[String]) -> Option<Way> {
    const LOWER: &str = "loss err kl divergence ppl time latency fid mse mae rmse step cost mem param wer cer \
    distance regret runtime flop flops bpb bpc nll seconds wasserstein mmd epoch variance rank \
    delay energy";
    const HIGHER: &str = "acc f1 auc auroc score reward return bleu rouge precision recall throughput token \
    consistency iou map psnr ssim r2 success win speed elo likelihood diversity";
    for name in names.iter().rev().take(2) {
        let stems = super::stems::stems(name);
        let per_second =
            stems.iter().any(|stem| stem == "per") && stems.iter().any(|stem| stem == "second");
        if per_second
            || stems.iter().any(|stem| has(HIGHER, stem))
                && !stems.iter().any(|stem| stem == "step")
        {
            return Some(Way::Higher);
        }
        if stems.iter().any(|stem| has(LOWER, stem)) {
            return Some(Way::Lower);
        }
    }
    None
}
