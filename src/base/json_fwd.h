#pragma once

// Names JsonObject for headers that only pass one on: simdjson.h costs a second in every file that
// sees it.

namespace simdjson::dom {
class object;
}

namespace nibble {
using JsonObject = simdjson::dom::object;
}
