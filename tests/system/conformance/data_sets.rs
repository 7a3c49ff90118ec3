//! Sets of data: one for everything that a manifest may be.

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::content::{Algorithm, CONFIG, DataSet, EMPTY, OCI_IMAGE, image_of, index_of, on, with};
use super::manifests::{self, Manifest};
use super::run::{Case, REPOSITORY, Run};
use super::walk::{self, Tagging, walk};
use super::{Site, cases, over_every_backend};
use crate::support::content::digest;

/// Types of artifacts that nobody has heard of.
const ONE_TYPE: &str = "application/vnd.example.one.v1";
const OTHER_TYPE: &str = "application/vnd.example.other.v1";

/// The steps with each blob of a set, with each manifest, with each tag, and those with the whole.
const BLOBS: &[&str] = &["push/blob-post-put", "head/blob-head", "pull/blob-get", "delete/blob-delete"];
const MANIFESTS: &[&str] = &[
    "push/manifest-by-digest",
    "head/manifest-head-by-digest",
    "pull/manifest-by-digest",
    "delete/manifest-delete",
];
const TAGS: &[&str] =
    &["push/manifest-by-tag", "head/manifest-head-by-tag", "pull/manifest-by-tag", "delete/tag-delete"];
/// Those with tags that came as parameters.
const TAGS_PUSHED: &[&str] = &["head/manifest-head-by-tag", "pull/manifest-by-tag", "delete/tag-delete"];
const LIST: &[&str] = &["tag-list"];
const REFERRERS: &[&str] = &["referrers"];
/// Most sets have these.
const ALL: &[&[&str]] = &[LIST, BLOBS, MANIFESTS, TAGS];

/// Walks through a set whose tags are pushed one by one.
async fn take(site: &Site, case: &Case, data: &DataSet) {
    walk(&Run::begin(site, case), data, Tagging::OneByOne).await;
}

const IMAGE: Case = Case::new("image", ALL);

async fn image(site: &Site) {
    let mut data = DataSet::new();
    let image = data.image("amd64");
    data.manifest(image, &["image"]);
    take(site, &IMAGE, &data).await;
}

const IMAGE_UNCOMPRESSED: Case = Case::new("image-uncompressed", ALL);

async fn image_uncompressed(site: &Site) {
    const UNCOMPRESSED: &str = "application/vnd.oci.image.layer.v1.tar";
    let mut data = DataSet::new();
    let layers = [data.blob(UNCOMPRESSED, vec![0; 10240]), data.blob(UNCOMPRESSED, vec![0; 1024])];
    let image = image_of(&data.config("amd64"), &layers);
    data.manifest(image, &["image-uncompressed"]);
    take(site, &IMAGE_UNCOMPRESSED, &data).await;
}

const LARGE_MANIFEST: Case = Case::new("large-manifest", ALL);

/// Annotations of 3.9 MB.
async fn large_manifest(site: &Site) {
    let mut data = DataSet::new();
    let annotations: serde_json::Map<_, _> =
        (0..390).map(|number| (format!("large.{number}"), "A".repeat(10_000).into())).collect();
    let image = with(data.image("amd64"), "annotations", annotations);
    data.manifest(image, &["large-manifest"]);
    take(site, &LARGE_MANIFEST, &data).await;
}

const INDEX: Case = Case::new("index", ALL);

async fn index(site: &Site) {
    let mut data = DataSet::new();
    let index = data.images();
    data.manifest(index, &["index"]);
    take(site, &INDEX, &data).await;
}

const NESTED_INDEX: Case = Case::new("nested-index", ALL);

/// An index of two indexes.
async fn nested_index(site: &Site) {
    let mut data = DataSet::new();
    let indexes = [(); 2].map(|()| {
        let index = data.images();
        data.manifest(index, &[])
    });
    data.manifest(index_of(&indexes), &["index-of-index"]);
    take(site, &NESTED_INDEX, &data).await;
}

const EMPTY_INDEX: Case = Case::new("empty-index", &[LIST, MANIFESTS, TAGS]);

async fn empty_index(site: &Site) {
    let mut data = DataSet::new();
    data.manifest(index_of(&[]), &["index"]);
    take(site, &EMPTY_INDEX, &data).await;
}

const ARTIFACT: Case = Case::new("artifact", ALL);

async fn artifact(site: &Site) {
    let mut data = DataSet::new();
    let artifact = data.artifact(ONE_TYPE);
    data.manifest(artifact, &["artifact"]);
    take(site, &ARTIFACT, &data).await;
}

const ARTIFACT_INDEX: Case = Case::new("artifact-index", ALL);

async fn artifact_index(site: &Site) {
    let mut data = DataSet::new();
    let index = artifacts(&mut data);
    data.manifest(index, &["artifact-index"]);
    take(site, &ARTIFACT_INDEX, &data).await;
}

/// Adds artifacts for two platforms, and gives the index of both.
fn artifacts(data: &mut DataSet) -> Value {
    let [one, other] = ["amd64", "arm64"].map(|architecture| {
        let artifact = data.artifact(ONE_TYPE);
        on(data.manifest(artifact, &[]), architecture)
    });
    with(index_of(&[one, other]), "artifactType", ONE_TYPE)
}

const ARTIFACT_WITHOUT_LAYERS: Case = Case::new("artifact-without-layers", ALL);

/// Its only layer is the empty one.
async fn artifact_without_layers(site: &Site) {
    let mut data = DataSet::new();
    let empty = data.blob(EMPTY, "{}");
    let artifact = with(image_of(&empty, std::slice::from_ref(&empty)), "artifactType", ONE_TYPE);
    data.manifest(artifact, &["artifact-without-layers"]);
    take(site, &ARTIFACT_WITHOUT_LAYERS, &data).await;
}

const ARTIFACTS_WITH_SUBJECT: Case =
    Case::new("artifacts-with-subject", &[LIST, BLOBS, MANIFESTS, TAGS, REFERRERS]);

/// An image without a tag and artifacts of two types refer to an image.
async fn artifacts_with_subject(site: &Site) {
    let mut data = DataSet::new();
    let image = data.image("amd64");
    let subject = data.manifest(image, &["image"]);
    let image = with(data.image("amd64"), "subject", subject.clone());
    data.manifest(image, &[]);
    for (artifact_type, tag) in [(ONE_TYPE, "tagged-artifact1"), (OTHER_TYPE, "tagged-artifact2")] {
        let artifact = with(data.artifact(artifact_type), "subject", subject.clone());
        data.manifest(annotated(artifact), &[tag]);
    }
    take(site, &ARTIFACTS_WITH_SUBJECT, &data).await;
}

fn annotated(document: Value) -> Value {
    with(document, "annotations", json!({ "org.example.note": "annotated", "org.example.other": "é\u{0}\"" }))
}

const INDEX_WITH_SUBJECT: Case = Case::new("index-with-subject", &[LIST, BLOBS, MANIFESTS, TAGS, REFERRERS]);

/// An index of artifacts, and the artifacts themselves, refer to an index.
async fn index_with_subject(site: &Site) {
    let mut data = DataSet::new();
    let images = data.images();
    let subject = data.manifest(images, &["index"]);
    let [one, other] = ["amd64", "arm64"].map(|architecture| {
        let artifact = with(data.artifact(ONE_TYPE), "subject", subject.clone());
        on(data.manifest(annotated(artifact), &[]), architecture)
    });
    let index = with(index_of(&[one, other]), "artifactType", ONE_TYPE);
    data.manifest(annotated(with(index, "subject", subject)), &["tagged-artifact"]);
    take(site, &INDEX_WITH_SUBJECT, &data).await;
}

const MISSING_SUBJECT: Case = Case::new("missing-subject", &[LIST, BLOBS, MANIFESTS, TAGS, REFERRERS]);

async fn missing_subject(site: &Site) {
    let mut data = DataSet::new();
    let missing = json!({ "mediaType": OCI_IMAGE, "digest": digest(b"nobody has this"), "size": 123 });
    let artifact = with(data.artifact(ONE_TYPE), "subject", missing);
    data.manifest(annotated(artifact), &["tagged-artifact"]);
    take(site, &MISSING_SUBJECT, &data).await;
}

const DATA_FIELD: Case = Case::new("data-field", ALL);

/// The descriptors hold what they describe.
async fn data_field(site: &Site) {
    let mut data = DataSet::new();
    let descriptors = [data.config("amd64"), data.layer(), data.layer()];
    let [config, layers @ ..] = descriptors.map(|descriptor| {
        let content = BASE64.encode(data.content(&descriptor));
        with(descriptor, "data", content)
    });
    data.manifest(image_of(&config, &layers), &["data-field"]);
    take(site, &DATA_FIELD, &data).await;
}

const NON_DISTRIBUTABLE_LAYERS: Case = Case::new("non-distributable-layers", ALL);

/// Two of the three layers are to be got elsewhere, and are not pushed.
async fn non_distributable_layers(site: &Site) {
    let mut data = DataSet::new();
    let elsewhere = ["tar+gzip", "tar"].map(|form| {
        let media_type = format!("application/vnd.oci.image.layer.nondistributable.v1.{form}");
        let digest = digest(form.as_bytes());
        let url = format!("https://elsewhere.example.com/{digest}");
        json!({ "mediaType": media_type, "digest": digest, "size": 12345, "urls": [url] })
    });
    let [compressed, uncompressed] = elsewhere;
    let layers = [compressed, uncompressed, data.layer()];
    let image = image_of(&data.config("amd64"), &layers);
    data.manifest(image, &["non-distributable-image"]);
    take(site, &NON_DISTRIBUTABLE_LAYERS, &data).await;
}

const CUSTOM_FIELDS: Case = Case::new("custom-fields", ALL);

/// Configuration, manifests and index have a field that no specification knows.
async fn custom_fields(site: &Site) {
    let custom = |document: Value| with(document, "org.example.field", json!({ "a": [1, null, 0.5] }));
    let mut data = DataSet::new();
    let [one, other] = ["amd64", "arm64"].map(|architecture| {
        let content = custom(json!({ "os": "linux", "architecture": architecture }));
        let config = data.blob(CONFIG, content.to_string());
        let layers = [data.layer(), data.layer()];
        on(data.manifest(custom(image_of(&config, &layers)), &[]), architecture)
    });
    data.manifest(custom(index_of(&[one, other])), &["custom-fields"]);
    take(site, &CUSTOM_FIELDS, &data).await;
}

const NO_LAYERS: Case = Case::new("no-layers", ALL);

async fn no_layers(site: &Site) {
    let mut data = DataSet::new();
    let image = image_of(&data.config("amd64"), &[]);
    data.manifest(image, &["no-layers"]);
    take(site, &NO_LAYERS, &data).await;
}

const SPARSE: Case = Case::new("sparse", ALL);

/// An image that lacks a layer, and an index that lacks an image, where the configuration allows it.
async fn sparse(site: &Site) {
    let mut data = DataSet::new();
    let lacking = data.layer();
    let layers = [lacking.clone(), data.layer()];
    let lacks_a_layer = image_of(&data.config("amd64"), &layers);
    data.manifest(lacks_a_layer, &["sparse-image"]);
    data.withhold(&lacking);
    let whole = data.image("amd64");
    let there = on(data.manifest(whole, &[]), "amd64");
    let nowhere = json!({ "mediaType": OCI_IMAGE, "digest": digest(b"pushed by nobody"), "size": 1024 });
    data.manifest(index_of(&[there, on(nowhere, "arm64")]), &["sparse-index"]);

    let tolerant = site.another_apus("validation: {disabled: true}");
    walk(&Run::at(&tolerant, &SPARSE), &data, Tagging::OneByOne).await;
}

const SHA512: Case = Case::new("sha512", &[LIST, BLOBS, MANIFESTS]);

async fn sha512(site: &Site) {
    let mut data = DataSet::by(Algorithm::Sha512);
    let index = data.images();
    data.manifest(index, &[]);
    take(site, &SHA512, &data).await;
}

const TAG_PARAM_SHA256: Case = Case::new("tag-param-sha256", &[LIST, BLOBS, MANIFESTS, TAGS_PUSHED]);
const TAG_PARAM_SHA512: Case = Case::new("tag-param-sha512", &[LIST, BLOBS, MANIFESTS, TAGS_PUSHED]);

async fn tag_param_sha256(site: &Site) {
    tag_param(site, &TAG_PARAM_SHA256, Algorithm::Sha256).await;
}

async fn tag_param_sha512(site: &Site) {
    tag_param(site, &TAG_PARAM_SHA512, Algorithm::Sha512).await;
}

/// Each manifest gets its tags with the one request that brings it; ten of them must be possible.
async fn tag_param(site: &Site, case: &Case, algorithm: Algorithm) {
    let mut data = DataSet::by(algorithm);
    let index = data.images();
    data.manifest(index, &[]);
    let [one, other, both] = &mut *data.manifests else { unreachable!() };
    one.tags = vec!["tag-param-0".into()];
    other.tags = vec!["tag-param-1".into()];
    both.tags = (2..12).map(|number| format!("tag-param-{number}")).collect();
    walk(&Run::begin(site, case), &data, Tagging::ByParameters).await;
}

const BAD_DIGEST_IMAGE: Case =
    Case::new("bad-digest-image", &[LIST, BLOBS, &["push/manifest-by-digest", "delete/manifest-delete"]]);

/// A manifest that is two spaces longer than the one whose digest it is pushed under is refused, and not there.
async fn bad_digest_image(site: &Site) {
    let mut data = DataSet::new();
    let image = data.image("amd64");
    data.manifest(image, &[]);
    let good = data.manifests.pop().unwrap();
    let bad = Manifest { content: [&good.content[..], b"  "].concat().into(), ..good };

    let run = Run::begin(site, &BAD_DIGEST_IMAGE);
    walk::push(&run, &data, Tagging::OneByOne).await;
    run.step("push/manifest-by-digest", async {
        let answer = manifests::put(run.client, REPOSITORY, &bad.digest, &bad).await;
        assert_eq!(answer.expect(400).code(), "DIGEST_INVALID");
    })
    .await;
    walk::list_head_and_pull(&run, &data).await;
    run.step("delete/manifest-delete", manifests::is_not_there(run.client, REPOSITORY, &bad.digest)).await;
    walk::delete(&run, &data).await;
}

cases!(
    image: IMAGE,
    image_uncompressed: IMAGE_UNCOMPRESSED,
    large_manifest: LARGE_MANIFEST,
    index: INDEX,
    nested_index: NESTED_INDEX,
    empty_index: EMPTY_INDEX,
    artifact: ARTIFACT,
    artifact_index: ARTIFACT_INDEX,
    artifact_without_layers: ARTIFACT_WITHOUT_LAYERS,
    artifacts_with_subject: ARTIFACTS_WITH_SUBJECT,
    index_with_subject: INDEX_WITH_SUBJECT,
    missing_subject: MISSING_SUBJECT,
    data_field: DATA_FIELD,
    non_distributable_layers: NON_DISTRIBUTABLE_LAYERS,
    custom_fields: CUSTOM_FIELDS,
    no_layers: NO_LAYERS,
    sparse: SPARSE,
    sha512: SHA512,
    tag_param_sha256: TAG_PARAM_SHA256,
    tag_param_sha512: TAG_PARAM_SHA512,
    bad_digest_image: BAD_DIGEST_IMAGE,
);
