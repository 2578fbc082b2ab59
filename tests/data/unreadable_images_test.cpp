// What the user is told about files that are no whole images.

#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "data/checksums.h"
#include "data/image.h"
#include "ptq/base/error.h"
#include "support/temporary_folder.h"

namespace ptq::data {
namespace {

std::string refusal_of(const std::string& path) {
  const std::string message = message_of<DataError>([&] { decode_image(path); });
  const std::string prefix = path + ": ";
  if (message.rfind(prefix, 0) != 0) return "without its path: " + message;
  return message.substr(prefix.size());
}

std::string refusal_of_content(const std::string& content) {
  const support::TemporaryFolder folder;
  return refusal_of(folder.write("image.jpg", content));
}

std::string fixture(const std::string& name) {
  return support::content_of(test_file("fixtures/" + name));
}

std::string first_part_of(const std::string& name, double part) {
  const std::string whole = fixture(name);
  return whole.substr(0, static_cast<size_t>(static_cast<double>(whole.size()) * part));
}

TEST(UnreadableImages, AMissingFileSaysSo) {
  EXPECT_EQ(refusal_of("no/such/image.png"), "cannot be opened: No such file or directory");
}

TEST(UnreadableImages, AFolderIsNoFile) {
  const support::TemporaryFolder folder;
  EXPECT_EQ(refusal_of(folder.path()), "is a folder, not a file");
}

TEST(UnreadableImages, AnEmptyFileSaysSo) {
  EXPECT_EQ(refusal_of_content(""), "the file is empty");
}

TEST(UnreadableImages, ATextFileNamedJpgSaysWhatItIsNot) {
  EXPECT_EQ(refusal_of_content("this is no picture\n"), "not a JPEG, PNG, BMP, WebP or TIFF image");
}

TEST(UnreadableImages, TruncatedJpegsAreNoticedWhereverTheyEnd) {
  for (const char* name : {"rgb_420.jpg", "rgb_progressive.jpg", "grey.jpg", "cmyk.jpg"}) {
    for (const double part : {0.1, 0.5, 0.75, 0.98}) {
      EXPECT_EQ(refusal_of_content(first_part_of(name, part)), "truncated JPEG")
          << name << " " << part;
    }
  }
}

// libjpeg reads ahead, so that Pillow too misses the end marker of these.
TEST(UnreadableImages, AJpegWithoutItsEndMarkerIsTruncated) {
  for (const char* name : {"rgb_420.jpg", "rgb_progressive.jpg", "grey.jpg", "cmyk.jpg"}) {
    const std::string whole = fixture(name);
    EXPECT_EQ(refusal_of_content(whole.substr(0, whole.size() - 2)), "truncated JPEG") << name;
  }
}

TEST(UnreadableImages, ADamagedJpegGetsTheWordsOfLibjpeg) {
  std::string file = fixture("rgb_420.jpg");
  file[file.find("\xFF\xC0") + 4] = 3;  // bits a sample
  EXPECT_EQ(refusal_of_content(file), "damaged JPEG: Unsupported JPEG data precision 3");
}

TEST(UnreadableImages, TruncatedAndDamagedPngsAreRefused) {
  EXPECT_EQ(refusal_of_content(first_part_of("rgb.png", 0.5)),
            "damaged PNG: the file is truncated");
  EXPECT_EQ(refusal_of_content(first_part_of("grey_16bit.png", 0.5)),
            "damaged PNG: the file is truncated");
  std::string file = fixture("rgb.png");
  file[file.size() / 2] ^= 1;
  EXPECT_EQ(refusal_of_content(file).rfind("damaged PNG: ", 0), 0U);
}

TEST(UnreadableImages, TruncatedFilesOfOtherFormatsAreRefused) {
  EXPECT_EQ(refusal_of_content(first_part_of("rgb_lossy.webp", 0.8)), "damaged or truncated WebP");
  EXPECT_EQ(refusal_of_content(first_part_of("rgb_24bit.bmp", 0.9)), "truncated BMP");
  EXPECT_EQ(refusal_of_content(first_part_of("palette_run_length_8.bmp", 0.9)),
            "damaged or truncated BMP");
  EXPECT_EQ(refusal_of_content(first_part_of("rgb_lzw.tif", 0.5)).rfind("damaged TIFF: ", 0), 0U);
}

TEST(UnreadableImages, KindsThatAreNotSupportedAreNamed) {
  std::string bmp = fixture("rgb_24bit.bmp");
  bmp[28] = 48;
  EXPECT_EQ(refusal_of_content(bmp), "BMP of 48 bits with compression 0 is not supported");
  std::string tiff = fixture("grey_8bit.tif");
  const std::string photometric = std::string("\x06\x01\x03\x00\x01\x00\x00\x00", 8);
  tiff[tiff.find(photometric) + 8] = 8;  // CIE L*a*b*
  EXPECT_EQ(refusal_of_content(tiff),
            "TIFF of 1 samples of 8 bits with photometric interpretation 8 is not supported");
}

TEST(UnreadableImages, AHeaderThatPromisesTooManyPixelsIsRefusedBeforeMemoryIsTaken) {
  std::string bmp = fixture("rgb_24bit.bmp");
  bmp.replace(18, 8, std::string("\x00\x00\x01\x00\x00\x00\x01\x00", 8));
  EXPECT_EQ(refusal_of_content(bmp), "the image has 65536 x 65536 pixels, more than the limit");
  bmp.replace(18, 4, std::string(4, '\0'));
  EXPECT_EQ(refusal_of_content(bmp), "the image has no pixels");
}

/// A file's bytes, zeros among them.
template <size_t size>
std::string bytes(const char (&text)[size]) {
  return {text, size - 1};
}

std::string little_endian(uint32_t value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

// As many pixels as are allowed, in few bytes, which take more memory than others while they are
// decoded: scans that each hold a part of every pixel, and a canvas with what was on it before.
TEST(UnreadableImages, ImagesThatNeedMuchMemoryBesideTheirPixelsAreRefused) {
  const std::string ink =
      bytes("\xFF\xD8\xFF\xC2\0\x14\x08\x34\x41\x34\x41\x04\1\x11\0\2\x11\0\3\x11\0\4\x11\0") +
      bytes("\xFF\xDA\0\x0E\4\1\0\2\0\3\0\4\0\0\0\0\xFF\xD9");
  std::string webp = fixture("rgb_moving.webp");
  webp.replace(24, 6, bytes("\x40\x34\0\x40\x34\0"));
  for (const std::string& large : {ink, webp}) {
    EXPECT_EQ(refusal_of_content(large),
              "the image of 13377 x 13377 pixels needs 2.50 GiB to decode, more than the 1.50 GiB "
              "allowed");
  }
}

// Values of tags may lie on top of each other, and libtiff copies each.
TEST(UnreadableImages, ATiffWhoseTagsHoldMoreThanItsBytesIsRefused) {
  constexpr uint32_t kSize = 1 << 16;
  std::string tiff =
      bytes("II*\0") + little_endian(8 + kSize) + std::string(kSize, '\0') + bytes("\3\0");
  for (const char tag : {'\1', '\2', '\3'}) {
    tiff += tag + bytes("\xA0\1\0") + little_endian(kSize) + little_endian(8);
  }
  EXPECT_EQ(refusal_of_content(tiff).rfind("damaged TIFF: its tags promise 196608 bytes", 0), 0U)
      << refusal_of_content(tiff);
}

TEST(UnreadableImages, ATiffOfTilesFarLargerThanTheImageIsRefused) {
  std::string tiff = fixture("rgb_tiled.tif");
  const size_t height = tiff.find(bytes("\x43\1\3\0\1\0\0\0"));
  ASSERT_NE(height, std::string::npos);
  tiff.replace(height, 12, bytes("\x43\1\4\0\1\0\0\0") + little_endian(4'000'000));
  EXPECT_EQ(refusal_of_content(tiff), "damaged TIFF: its tiles hold far more than the image");
}

TEST(UnreadableImages, ABitmapOfRunsThatLeavesNearlyAllOutIsRefused) {
  std::string bmp = fixture("palette_run_length_8.bmp");
  bmp.replace(18, 8, std::string("\x00\x20\x00\x00\x00\x20\x00\x00", 8));
  EXPECT_EQ(refusal_of_content(bmp).rfind("damaged BMP: it promises more pixels", 0), 0U)
      << refusal_of_content(bmp);
}

TEST(UnreadableImages, AJpegThatIsWorkWithoutEndIsRefused) {
  const std::string whole = fixture("rgb_progressive.jpg");
  const size_t last_scan = whole.rfind("\xFF\xDA");
  const std::string scan = whole.substr(last_scan, whole.size() - 2 - last_scan);
  std::string many = whole.substr(0, whole.size() - 2);
  for (int i = 0; i < 200; ++i) many += scan;
  EXPECT_EQ(refusal_of_content(many + "\xFF\xD9"), "a progressive JPEG of too many scans");
}

TEST(UnreadableImages, AFileIsLookedAtBeforeItIsRead) {
  const support::TemporaryFolder folder;
  const std::string sparse = folder.write("image.jpg", "");
  std::filesystem::resize_file(sparse, uint64_t{30} << 30);
  EXPECT_EQ(refusal_of(sparse), "has 30.00 GiB, more than the 1.00 GiB that are read");
  EXPECT_EQ(refusal_of("/dev/zero"), "is a pipe or a device, not a file");
}

}  // namespace
}  // namespace ptq::data
