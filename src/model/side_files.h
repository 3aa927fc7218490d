#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "io/metadata.h"
#include "model/checkpoint.h"

// Inside of model/: what lies beside the weights in a Hugging Face folder.

namespace nibble {

// The folder a model's other files are in: the path itself, or where the named file lies.
fs::path folder_of(const fs::path& path);
// The name people know the folder's model by; for a snapshot in the Hugging Face cache
// (models--ORG--NAME/snapshots/HASH) that of the repository.
std::string folder_name(const fs::path& folder);

// chat_template.jinja, or the default template of tokenizer_config.json; "" when there is none.
std::string read_chat_template(const fs::path& folder);
// generation_config.json, and the keys general.sampling.*. Throw Error(kBadInput) naming the key.
GenerationDefaults read_generation_defaults(const fs::path& folder);
GenerationDefaults read_generation_defaults(const Metadata& metadata);
void write_generation_defaults(const GenerationDefaults& defaults, Metadata& metadata);

// Removes those of an older model, which would be taken for parts of the new one.
void remove_side_files(const fs::path& folder);
// Everything but weights and code, config.json with the dtype of the new weights.
void copy_side_files(const fs::path& from, const fs::path& to, std::string_view dtype);

}  // namespace nibble
