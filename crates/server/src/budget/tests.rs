use super::*;

#[tokio::test(start_paused = true)]
async fn whoever_comes_too_late_waits_for_a_while() {
    let budget = Budget::new(10 * KIB);
    let (six, four) = (budget.share(6 * KIB).await, budget.share(3 * KIB + 1).await);
    assert!(six.is_some() && four.is_some());
    assert!(budget.share(1).await.is_none(), "all of it is taken");
    let (waiting, ()) = tokio::join!(budget.share(6 * KIB), async { drop(six) });
    assert!(waiting.is_some());
}

#[tokio::test(start_paused = true)]
async fn one_that_wants_more_than_there_is_gets_all_of_it() {
    for bytes in [0, 1, KIB] {
        let budget = Budget::new(bytes);
        let all = budget.share(u64::MAX).await;
        assert!(all.is_some());
        assert!(budget.share(1).await.is_none());
    }
    assert!(Budget::new(u64::MAX).share(4 << 20).await.is_some());
}
