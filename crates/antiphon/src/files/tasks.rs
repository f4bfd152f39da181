//! What is done with files after it was asked for. A task is begun at once by the node that was asked; if that comes to nothing,
//! another goes on with it once its time is over. Doing one twice leaves one result: the last to end says so, the other hears it.

use std::collections::BTreeMap;
use std::sync::Arc;

use antiphon_store::{
    Changes, FileKey, FileTask, FileTaskKind, FileTaskStatus, Moment, PortalId, State, Target,
};
use antiphon_wire::error::Problem;
use antiphon_wire::files::{
    FileTaskState, FolderTaskState, FolderUpdate, TaskError, TaskLocator, TaskStatus,
};
use antiphon_wire::id::MAX_SAFE;
use antiphon_wire::lenient::parse_body;
use antiphon_wire::timestamp::Timestamp;
use futures_util::TryStreamExt;

use super::folders::{self, Draft};
use super::{import, shown};
use crate::app::App;
use crate::call::{Answer, Call};
use crate::portals;
use crate::refusal::Refusal;

/// How long a node may be at a task before another takes it up.
const TURN: i64 = 180_000;

const CHUNK: usize = 100;

/// What is told of every task.
macro_rules! told {
    ($call:expr, $task:expr, $shape:ident, $result:expr) => {{
        let (call, task, result) = ($call, $task, $result);
        let errors: Vec<TaskError> = serde_json::from_str(&task.errors).unwrap_or_default();
        Answer::json(
            200,
            &$shape {
                task_id: task.id,
                status: match task.status {
                    FileTaskStatus::Pending => TaskStatus::Pending,
                    FileTaskStatus::Processing => TaskStatus::Processing,
                    FileTaskStatus::Complete => TaskStatus::Complete,
                },
                started_at: Timestamp(task.started_at.unwrap_or(task.requested_at)),
                completed_at: Timestamp(task.completed_at.unwrap_or_else(|| call.app.store.now())),
                requested_at: Timestamp(task.requested_at),
                result,
                num_errors: (!errors.is_empty()).then_some(errors.len() as i32),
                errors,
            },
        )
    }};
}

/// Notes a task, begins it, and says where to ask for it.
pub async fn begin(call: &Call, kind: FileTaskKind) -> Result<Answer, Refusal> {
    let id = uuid::Uuid::new_v4().to_string();
    let body = String::from_utf8(call.body.to_vec());
    let body = body.map_err(|_| Refusal::Invalid(vec![Problem::bare("the body is not UTF-8")]))?;
    let task = FileTask {
        id: id.clone(),
        kind,
        status: FileTaskStatus::Pending,
        body,
        requested_at: 0,
        started_at: None,
        completed_at: None,
        leased_until: 0,
        object: None,
        errors: "[]".into(),
    };
    let rule = move |_: &State, moment: &mut Moment| {
        let task = FileTask { requested_at: moment.now, ..task.clone() };
        Ok::<_, Refusal>(Changes { file_tasks: vec![task], ..Changes::default() })
    };
    let (app, portal) = (call.app.clone(), call.caller.portal());
    app.store.change(portal, Target::File(Box::default()), rule).await??;
    let path = call.uri_path.trim_end_matches('/');
    let status = format!("{}{path}/tasks/{id}/status", call.origin);
    let task = id.clone();
    tokio::spawn(async move { run(&app, portal, &task).await });
    Answer::json(202, &TaskLocator { id, links: BTreeMap::from([("status".into(), status)]) })
}

/// `POST /folders/update/async`
pub async fn update_folder(call: Call) -> Result<Answer, Refusal> {
    let body: FolderUpdate = call.json()?;
    let mut problems = Vec::new();
    let id = match &body.id {
        None => Err(Problem::required("id")),
        Some(id) => id.parse(MAX_SAFE).ok_or_else(|| Problem::new("id", format!("`{id}` is not an id"))),
    };
    let id = id.map_err(|problem| problems.push(problem)).unwrap_or_default();
    Draft::read(&body, id, &mut problems);
    if !problems.is_empty() {
        return Err(Refusal::Invalid(problems));
    }
    begin(&call, FileTaskKind::FolderUpdate).await
}

/// `GET /import-from-url/async/tasks/{taskId}/status`
pub async fn import_status(call: Call) -> Result<Answer, Refusal> {
    let task = found(&call, FileTaskKind::Import).await?;
    let mut result = None;
    if let Some(id) = task.object {
        let (store, portal) = (&call.app.store, call.caller.portal());
        if let Some(file) = store.files_by_ids(portal, &[id]).await?.pop() {
            let chain = store.folder_chain(portal, file.folder).await?;
            result = Some(shown(&call, &file, &chain));
        }
    }
    told!(&call, task, FileTaskState, result)
}

/// `GET /folders/update/async/tasks/{taskId}/status`
pub async fn folder_status(call: Call) -> Result<Answer, Refusal> {
    let task = found(&call, FileTaskKind::FolderUpdate).await?;
    let mut result = None;
    if let Some(id) = task.object {
        let chain = call.app.store.folder_chain(call.caller.portal(), id).await?;
        result = folders::shown(&chain);
    }
    told!(&call, task, FolderTaskState, result)
}

async fn found(call: &Call, kind: FileTaskKind) -> Result<FileTask, Refusal> {
    let task = call.app.store.file_task(call.caller.portal(), call.segment(0)).await?;
    task.filter(|task| task.kind == kind).ok_or_else(|| Refusal::not_found(call.segment(0)))
}

/// Goes on with all tasks that nobody is at; how many those were.
pub async fn take_up(app: &Arc<App>) -> anyhow::Result<u64> {
    let (mut done, mut portals) = (0, portals::all(&app.store));
    while let Some(portal) = portals.try_next().await? {
        for task in app.store.file_tasks_due(portal.id, app.machine_time(), CHUNK).await? {
            run(app, portal.id, &task.id).await;
            done += 1;
        }
    }
    Ok(done)
}

/// Does a task, unless somebody else is at it.
async fn run(app: &App, portal: PortalId, id: &str) {
    let done = async {
        let until = app.machine_time() + TURN;
        let Some(task) = turn(app, portal, id, until).await? else { return Ok(()) };
        let outcome = match task.kind {
            FileTaskKind::Import => import::run(app, portal, &task.body).await,
            FileTaskKind::FolderUpdate => folder(app, portal, &task.body).await,
        };
        let outcome = outcome.map_err(|refusal| explained(&refusal));
        end(app, portal, id, outcome).await
    };
    let done: Result<(), Refusal> = done.await;
    if let Err(refusal) = done {
        tracing::warn!(task = id, ?refusal, "a task of files is left to be taken up later");
    }
}

async fn folder(app: &App, portal: PortalId, body: &str) -> Result<i64, Refusal> {
    let body: FolderUpdate =
        parse_body(body.as_bytes()).map_err(|problem| Refusal::Invalid(vec![problem]))?;
    let id = body.id.as_ref().and_then(|id| id.parse(MAX_SAFE)).unwrap_or_default();
    let draft = Draft::read(&body, id, &mut Vec::new());
    folders::move_to(app, portal, draft).await.map(|_| id)
}

fn key(id: &str) -> Target {
    Target::File(Box::new(FileKey { task: Some(id.to_owned()), ..FileKey::default() }))
}

/// Takes the task for a while; `None` while somebody else has it, or once it is done.
async fn turn(app: &App, portal: PortalId, id: &str, until: i64) -> Result<Option<FileTask>, Refusal> {
    let now = until - TURN;
    let rule = move |state: &State, moment: &mut Moment| {
        let task = state.files.as_ref().and_then(|found| found.task.clone());
        let open = task.filter(|task| task.status != FileTaskStatus::Complete && task.leased_until <= now);
        let task = open.map(|task| FileTask {
            status: FileTaskStatus::Processing,
            started_at: task.started_at.or(Some(moment.now)),
            leased_until: until,
            ..task
        });
        Ok::<_, Refusal>(Changes { file_tasks: task.into_iter().collect(), ..Changes::default() })
    };
    Ok(app.store.change(portal, key(id), rule).await??.changes.file_tasks.pop())
}

async fn end(
    app: &App,
    portal: PortalId,
    id: &str,
    outcome: Result<i64, Vec<TaskError>>,
) -> Result<(), Refusal> {
    let (object, errors) = match outcome {
        Ok(object) => (Some(object), Vec::new()),
        Err(errors) => (None, errors),
    };
    let errors = serde_json::to_string(&errors).map_err(|error| Refusal::Internal(error.to_string()))?;
    let rule = move |state: &State, moment: &mut Moment| {
        let task = state.files.as_ref().and_then(|found| found.task.clone());
        let open = task.filter(|task| task.status != FileTaskStatus::Complete);
        let task = open.map(|task| FileTask {
            status: FileTaskStatus::Complete,
            completed_at: Some(moment.now),
            object,
            errors: errors.clone(),
            ..task
        });
        Ok::<_, Refusal>(Changes { file_tasks: task.into_iter().collect(), ..Changes::default() })
    };
    app.store.change(portal, key(id), rule).await??;
    Ok(())
}

/// What went wrong, for whoever asks.
fn explained(refusal: &Refusal) -> Vec<TaskError> {
    let one = |category: &str, message: &str| vec![TaskError::new(category, message)];
    match refusal {
        Refusal::Invalid(problems) => {
            problems.iter().map(|problem| TaskError::new("VALIDATION_ERROR", &problem.message)).collect()
        }
        Refusal::NotFound { id } => {
            let mut error = TaskError::new("OBJECT_NOT_FOUND", "resource not found");
            error.context.insert("id".into(), vec![id.clone()]);
            vec![error]
        }
        Refusal::Conflict(message) => one("CONFLICT", message),
        Refusal::TooLarge(most) => one("PAYLOAD_TOO_LARGE", &format!("A file has at most {most} bytes")),
        _ => one("INTERNAL_ERROR", "It could not be done; try again"),
    }
}
