#pragma once

#include <functional>

#include "import/image_reach.h"
#include "import/recorder.h"
#include "import/walk.h"

/// Whether the answer to an image depends on the other images of its batch.
namespace ptq::import {

/// Noise, or numbers from 0 to 1, of which every network can take roots and logarithms.
enum class Pictures { kNoise, kCalm };

/// Images that are the same for the same numbers: `which[i]` says which picture comes i-th.
/// Pictures beyond the first two are much louder, or much darker.
at::Tensor test_images(const std::vector<int64_t>& which, int64_t image_size,
                       Pictures pictures = Pictures::kNoise);

/// The pictures of the walks that are reconciled: those of the first come again in the second, in
/// other places and company.
inline const std::vector<int64_t> kFirstPictures = {0, 1};
inline const std::vector<int64_t> kSecondPictures = {1, 0, 2};

/// A model on some images.
using WalkOn = std::function<Walked(const at::Tensor& images, const Seen& seen, Products products)>;

/// Throws ImportError, naming the operator where images first meet, if answers of `first` and
/// `second`, walks on the pictures above, differ for the same picture because of the others. Also
/// names an operator that gives other values every time it runs. Answers that are not finite are
/// asked for again, to calm pictures and exactly; where those are not finite either, it says
/// nothing.
void check_images_apart(const at::Tensor& first, const at::Tensor& second, int64_t image_size,
                        const WalkOn& walk_on);

/// The same where the pictures do not show it: follows the images through the operations of
/// `graph`. Where one may reach the answer to another, walks with other values at that place say
/// whether it does, or cancels out as the largest number of a batch does under a softmax. `places`
/// and `first` are of the walk on kFirstPictures.
void check_reach_apart(const ir::Graph& graph, const Places& places, const at::Tensor& first,
                       int64_t image_size, const WalkOn& walk_on);

}  // namespace ptq::import
