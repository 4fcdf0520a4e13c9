//! What a study leaves for others: one HTML page that needs nothing beside itself, the result file of
//! the AI Scientist, and curves for TensorBoard.

mod events;
mod final_info;
mod forest;
mod html;
mod origins;
mod reviewed;
mod view;

pub(crate) use events::TensorBoard;
pub(crate) use final_info::FinalInfo;
pub(crate) use html::Html;
