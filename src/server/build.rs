//! Makes the service of `proto/users.proto` for records that stay as they came: the generated code
//! would take each apart.

use tonic_build::manual::{Builder, Method, Service};

fn main() {
    let method = |name: &str, path: &str| {
        Method::builder()
            .name(name)
            .route_name(path)
            .input_type("crate::users::Record")
            .output_type("muster_proto::users::UserResponse")
            .codec_path("crate::users::RecordCodec")
    };
    let users = Service::builder()
        .name("Users")
        .package("")
        .method(method("send_user_info", "SendUserInfo").build())
        .method(
            method("send_user_info_client_stream", "SendUserInfoClientStream")
                .client_streaming()
                .build(),
        )
        .build();
    Builder::new().build_client(false).compile(&[users]);
}
