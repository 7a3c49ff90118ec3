//! Who is delivered to: deliveries begin, go on by other options, and end. A queue is made once for each name, and stays until the
//! process ends, so that an endpoint that is taken away and comes back finds its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::delivery::{Order, deliver};
use crate::loss::Losses;
use crate::queue::{Place, Queue};
use crate::receiver::Receiver;
use crate::{EndpointOptions, EventsError, QueueOptions};

/// How long an endpoint that is taken away is still told of what waits for it, as long as that goes well.
const LAST_TRIES: Duration = Duration::from_mins(1);

/// All deliveries.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    place: Option<Place>,
    running: Vec<Delivery>,
    /// To endpoints that were taken away.
    ended: Vec<Delivery>,
}

/// The delivery to one endpoint.
#[derive(Debug)]
struct Delivery {
    name: String,
    queue: Arc<Queue>,
    orders: watch::Sender<Order>,
    /// One task; it ends when this is dropped.
    task: JoinSet<()>,
}

impl Deliveries {
    /// From now on these endpoints are delivered to, and no others. Answers their queues, in their order. An endpoint that was
    /// there before, by its name, keeps its queue. Where this fails, everything stays as it was.
    pub(crate) fn change(
        &mut self,
        endpoints: Vec<EndpointOptions>,
        queue: &QueueOptions,
    ) -> Result<Vec<Arc<Queue>>, EventsError> {
        let names: Vec<String> = endpoints.iter().map(|endpoint| endpoint.name.clone()).collect();
        let receivers = endpoints.into_iter().map(Receiver::new).collect::<Result<Vec<_>, _>>()?;
        let queues = match &self.place {
            Some(place) => {
                place.check(queue, &names)?;
                self.queues(place, &names)?
            }
            None if names.is_empty() => return Ok(Vec::new()),
            None => {
                let place = Place::open(queue, &names)?;
                let queues = self.queues(&place, &names)?;
                self.place = Some(place);
                queues
            }
        };
        let mut before: Vec<Delivery> = self.running.drain(..).chain(self.ended.drain(..)).collect();
        for ((name, receiver), queue) in names.into_iter().zip(receivers).zip(&queues) {
            let own = before.iter().position(|delivery| Arc::ptr_eq(&delivery.queue, queue));
            let own = own.map(|at| before.remove(at));
            self.running.push(Delivery::begin(name, receiver, Arc::clone(queue), own));
        }
        self.ended = before.into_iter().map(Delivery::end).collect();
        Ok(queues)
    }

    /// A queue for each name: its own, where there is one.
    fn queues(&self, place: &Place, names: &[String]) -> Result<Vec<Arc<Queue>>, EventsError> {
        let mut known: Vec<&Delivery> = self.running.iter().chain(&self.ended).collect();
        let mut queue = |name: &String| {
            let own = known.iter().position(|delivery| delivery.name == *name);
            Ok(match own.map(|at| known.remove(at)) {
                Some(delivery) => Arc::clone(&delivery.queue),
                None => Arc::new(place.queue(name, Arc::new(Losses::of(name)))?),
            })
        };
        names.iter().map(&mut queue).collect()
    }

    /// Ends all. What waits is tried once more, for as long as that goes well and `limit` allows.
    pub(crate) async fn close(mut self, limit: Duration) {
        for delivery in &self.running {
            delivery.orders.send_replace(Order::LastTries);
        }
        let mut all: Vec<Delivery> = self.running.drain(..).chain(self.ended.drain(..)).collect();
        let ended = join_all(all.iter_mut().map(Delivery::ended));
        if tokio::time::timeout(limit, ended).await.is_err() {
            join_all(all.iter_mut().map(|delivery| delivery.task.shutdown())).await;
        }
        for delivery in &all {
            delivery.queue.close().await;
        }
        if let Some(place) = self.place {
            place.close();
        }
    }
}

impl Delivery {
    /// Begins when the one before, over the same queue, has ended: so nothing is sent twice, and the order is kept.
    fn begin(name: String, receiver: Receiver, queue: Arc<Queue>, before: Option<Self>) -> Self {
        let (orders, obeyed) = watch::channel(Order::Deliver);
        let mut task = JoinSet::new();
        let own = Arc::clone(&queue);
        if let Some(before) = &before {
            before.orders.send_replace(Order::Stop);
        }
        task.spawn(async move {
            if let Some(mut before) = before {
                before.ended().await;
            }
            deliver(receiver, own, obeyed).await;
        });
        Self { name, queue, orders, task }
    }

    /// What waits is tried once more. What then is left is given up, unless the endpoint has come back meanwhile.
    fn end(mut self) -> Self {
        if *self.orders.borrow() == Order::LastTries {
            return self;
        }
        self.orders.send_replace(Order::LastTries);
        tracing::info!(
            endpoint = self.name,
            waiting = self.queue.len(),
            "the endpoint is configured no more"
        );
        let mut delivery = Self {
            name: self.name.clone(),
            queue: Arc::clone(&self.queue),
            orders: self.orders.clone(),
            task: std::mem::take(&mut self.task),
        };
        self.task.spawn(async move {
            if tokio::time::timeout(LAST_TRIES, delivery.ended()).await.is_err() {
                delivery.task.shutdown().await;
            }
            if *delivery.orders.borrow() == Order::LastTries {
                delivery.queue.give_up();
            }
        });
        self
    }

    /// Until its task has ended.
    async fn ended(&mut self) {
        while self.task.join_next().await.is_some() {}
    }
}
