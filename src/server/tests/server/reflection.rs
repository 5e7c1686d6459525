//! Reflection: what tools such as grpcurl learn of the server.

use tonic::Code;
use tonic_reflection::pb::v1::ServerReflectionRequest;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1alpha;
use tonic_reflection::pb::v1alpha::server_reflection_client::ServerReflectionClient as AlphaClient;

use crate::desk::Desk;

async fn ask(desk: &Desk, question: MessageRequest) -> Result<MessageResponse, tonic::Status> {
    let request = ServerReflectionRequest { host: String::new(), message_request: Some(question) };
    let mut client = ServerReflectionClient::new(desk.channel.clone());
    let mut answers =
        client.server_reflection_info(tokio_stream::once(request)).await?.into_inner();
    Ok(answers.message().await?.unwrap().message_response.unwrap())
}

#[tokio::test]
async fn every_service_is_listed() {
    let desk = Desk::open().await;
    let answer = ask(&desk, MessageRequest::ListServices(String::new())).await.unwrap();
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert_are_all(&names);
}

#[tokio::test]
async fn v1alpha_answers_as_v1_does() {
    use v1alpha::server_reflection_request::MessageRequest;
    use v1alpha::server_reflection_response::MessageResponse;

    let desk = Desk::open().await;
    let ask = async |question| {
        let host = String::new();
        let request = v1alpha::ServerReflectionRequest { host, message_request: Some(question) };
        let mut client = AlphaClient::new(desk.channel.clone());
        let answers = client.server_reflection_info(tokio_stream::once(request)).await.unwrap();
        answers.into_inner().message().await.unwrap().unwrap().message_response.unwrap()
    };
    let answer = ask(MessageRequest::ListServices(String::new())).await;
    let MessageResponse::ListServicesResponse(list) = answer else { panic!("{answer:?}") };
    let names: Vec<String> = list.service.into_iter().map(|service| service.name).collect();
    assert_are_all(&names);
    let answer = ask(MessageRequest::FileContainingSymbol("Users".to_owned())).await;
    let MessageResponse::FileDescriptorResponse(files) = answer else { panic!("{answer:?}") };
    assert_eq!(files.file_descriptor_proto.len(), 1);
}

fn assert_are_all(names: &[String]) {
    for name in [
        "Users",
        "muster.v1.Batches",
        "grpc.health.v1.Health",
        "grpc.reflection.v1.ServerReflection",
        "grpc.reflection.v1alpha.ServerReflection",
    ] {
        assert!(names.iter().any(|listed| listed == name), "no {name} in {names:?}");
    }
}

#[tokio::test]
async fn the_services_are_described() {
    let desk = Desk::open().await;
    for name in ["Users", "UserRequest", "muster.v1.Batches"] {
        let question = MessageRequest::FileContainingSymbol(name.to_owned());
        let answer = ask(&desk, question).await.unwrap();
        let MessageResponse::FileDescriptorResponse(files) = answer else { panic!("{answer:?}") };
        assert_eq!(files.file_descriptor_proto.len(), 1, "{name}");
    }
}

#[tokio::test]
async fn what_the_server_does_not_have_is_not_found() {
    let desk = Desk::open().await;
    let question = MessageRequest::FileContainingSymbol("Nobody".to_owned());
    assert_eq!(ask(&desk, question).await.unwrap_err().code(), Code::NotFound);
}
