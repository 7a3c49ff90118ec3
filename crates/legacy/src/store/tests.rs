use std::sync::Arc;

use super::{Store, StoredTag};
use crate::testing::{delete, put, sample};
use crate::{Error, ImageId};

const TOP: &str = "4c80dc9d933cc5ae04ca3db100f0fe45f0945badea321882ea8247d14d108fce";

fn top() -> ImageId {
    ImageId::parse(TOP).unwrap()
}

#[tokio::test]
async fn the_originals_tags() {
    let store = Store::new(sample().await);
    let page = store.tags(None).await.unwrap();
    assert_eq!(page.next, None);
    let private: Vec<_> = page.private.iter().map(ToString::to_string).collect();
    assert_eq!(private, ["acme/webapp"]);
    let mut tags = Vec::new();
    for tag in &page.tags {
        let image = store.image_of(tag).await.unwrap().unwrap();
        tags.push(format!("{}:{} {:.8}", tag.repository, tag.name, image.as_str()));
    }
    let expected = [
        "acme/webapp:1.0 115a9d26",
        "acme/webapp:dev dcf50c35",
        "acme/webapp:latest 4c80dc9d",
        "library/base:1.0 6ec58b23",
        "library/base:2.0 64188a99",
        "library/base:latest 64188a99",
    ];
    assert_eq!(tags, expected);
}

#[tokio::test]
async fn an_image_of_the_original() {
    let store = Store::new(sample().await);
    let image = store.image(&top()).await.unwrap();
    assert_eq!(image.id.as_str(), TOP);
    assert_eq!(image.description.parent.unwrap().as_str().get(..8), Some("115a9d26"));
    assert_eq!(image.checksums.len(), 1);
    assert_eq!((image.unfinished, image.layer.unwrap().size), (false, 98_579));
}

#[tokio::test]
async fn what_is_missing_or_damaged_is_told_as_what_it_is() {
    let storage = sample().await;
    let store = Store::new(Arc::clone(&storage) as _);
    let object = |part: &str| format!("images/{TOP}/{part}");

    put(&*storage, &object("_inprogress"), "true").await;
    put(&*storage, &object("_checksum"), "sha256:00").await;
    delete(&*storage, &object("layer")).await;
    let image = store.image(&top()).await.unwrap();
    assert_eq!((image.checksums, image.unfinished, image.layer), (vec!["sha256:00".to_owned()], true, None));
    assert!(
        matches!(store.layer(&top()).await, Err(Error::Missing(name)) if name.as_str() == object("layer"))
    );

    put(&*storage, &object("json"), r#"{"id":"0123456789abcdef"}"#).await;
    let error = store.image(&top()).await.unwrap_err();
    assert!(matches!(&error, Error::Damaged { .. }) && error.is_lasting(), "{error}");

    put(&*storage, &object("json"), vec![b' '; (4 << 20) + 1]).await;
    assert!(matches!(store.image(&top()).await, Err(Error::Damaged { .. })));

    delete(&*storage, &object("json")).await;
    assert!(matches!(store.image(&top()).await, Err(Error::Missing(_))));
}

#[tokio::test]
async fn a_tag_that_holds_no_identifier() {
    let storage = sample().await;
    let store = Store::new(Arc::clone(&storage) as _);
    let page = store.tags(None).await.unwrap();
    let tag: &StoredTag = page.tags.first().unwrap();
    put(&*storage, tag.object.as_str(), format!("{TOP}\n")).await;
    assert_eq!(store.image_of(tag).await.unwrap(), Some(top()));
    put(&*storage, tag.object.as_str(), "{}").await;
    assert_eq!(store.image_of(tag).await.unwrap(), None);
    delete(&*storage, tag.object.as_str()).await;
    assert_eq!(store.image_of(tag).await.unwrap(), None);
}
