#pragma once

#include <vector>

/// How far the right answers of two draws of the same quantization noise may lie apart.
///
/// Where a float32 sum is rounded differently in its last bit, a few values fall on the other side
/// of a rounding boundary by a whole code, and the next layers multiply such flips: on another
/// processor the logits have other noise of the same size. Which images are then right is chance,
/// so no fixed number of answers can be a bound. What stays is McNemar's test: of the images that
/// one draw has right and the other wrong, each is as likely to be in favour of one as of the
/// other, so the difference in right answers is that of fair coins.
///
/// How many such images there are between ours and the reference is not known, since it stored its
/// logits for some images and only the number right for all. But those logits say how far the
/// margin of an image moves from our draw to the reference's, and our logits say how large the
/// margins of all images are. An image is in doubt as far as its margin is smaller than what
/// margins move by, and an image in doubt changes sides if the move goes against its margin: half
/// of the times.
namespace ptq::golden {

/// The number of images, on average, that are right in one draw and wrong in the other: `margins`
/// of all images in one draw, `moves` of the margins of some of them between the two.
double expected_discordant(const std::vector<double>& margins, const std::vector<double>& moves);

/// The chance that heads and tails of `coins` fair coins differ by at least |difference|: the
/// two-sided exact binomial test.
double chance_of_coins(int difference, int coins);

/// The chance that two draws differ by at least |difference| right answers, if the images that they
/// disagree on are `discordant` on average: chance_of_coins for a Poisson number of coins.
double chance_of_difference(int difference, double discordant);

/// What a test calls too unlikely. Forty configurations are compared on a processor and always with
/// the same result there: at 1e-4, one kind of processor in 250 fails by chance.
inline constexpr double kLeastChance = 1e-4;

}  // namespace ptq::golden
